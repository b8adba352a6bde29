import type { Scope } from '../sides/scope.js';

/** What every file is compared with. */
export const NOTEBOOK_FORM = 'HDF5, as the notebook writes it';

/** Bytes by what they say. They add up to the file. */
export interface SizeParts {
  /** Where the nonzeros are: column indices and row pointers. */
  readonly mask: number;
  /** The int8 values of the nonzeros. */
  readonly values: number;
  /** Biases, LayerNorm and, for the whole model, embedding tables. */
  readonly floats: number;
  /** Scales, names, shapes and the file's own structure. */
  readonly overhead: number;
}

/** One form of one model. */
export interface SizeRow {
  readonly model: string;
  readonly scope: Scope;
  readonly form: string;
  /** What a reader may need to know of the form; empty for none. */
  readonly note: string;
  readonly bytes: number;
  /** `null` where the form does not tell them apart (dense weights). */
  readonly parts: SizeParts | null;
  /** Bits of mask and values a nonzero. */
  readonly bitsPerNonzero: number;
  /** Whether the model was read back from this form and found equal, bit for bit. */
  readonly lossless: 'proven' | 'not a file';
}

/** What the sizes section measured. */
export interface SizesReport {
  readonly rows: readonly SizeRow[];
  readonly bounds: readonly SizeBounds[];
}

/** What a model is, and what no coder of its kind gets below. */
export interface SizeBounds {
  readonly model: string;
  readonly scope: Scope;
  readonly nonzeros: number;
  /** Elements of the sparse matrices. */
  readonly elements: number;
  /** Bytes, summed over the matrices: mask as independent coins; as gaps, order 0; with every row's and column's count known. */
  readonly mask: { readonly independent: number; readonly rowGaps: number; readonly rowsAndColumns: number };
  /** Bytes of the values, order 0. */
  readonly values: number;
  /** Bytes of the floats, uncompressed. */
  readonly floats: number;
}
