import {
  checkAborted,
  checkReadableMap,
  entriesOf,
  linearNames,
  type QuantizationProfile,
  type TensorStore,
} from '@prune/core';
import { maskBounds, recomposeSparse, valueEntropy } from '@prune/csr';
import { profileOf } from '@prune/quant';

/** A sparse matrix of a store. */
export interface InspectedMatrix {
  /** The module, e.g. `bert.encoder.layer.0.attention.self.query`. */
  readonly name: string;
  readonly shape: readonly [rows: number, columns: number];
  readonly nonzeros: number;
  /** nonzeros / cells; 0 for a matrix without cells */
  readonly density: number;
  readonly qscheme: 'per_tensor_affine' | 'per_channel_affine';
  /** Bytes in the file: of its mask (`indices` and `indptr`) and of its values. */
  readonly stored: { readonly mask: number; readonly values: number };
  /**
   * Bits that no coder gets below that knows no more: the mask as independent coins of the matrix's density, or when the nonzeros of every row and
   * column are known; the values drawn one by one (order 0).
   */
  readonly bounds: { readonly maskIndependent: number; readonly maskRowsAndColumns: number; readonly values: number };
}

/** One entry of a store. */
export interface InspectedEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly codec: string;
  readonly storedBytes: number;
  /** The file that has these bytes, where that is another one. */
  readonly base?: string;
}

/** What `prune inspect` shows. */
export interface Inspection {
  readonly file: string;
  readonly fileBytes: number;
  readonly architecture: string | undefined;
  readonly profile: QuantizationProfile;
  readonly tokenizerFiles: readonly string[];
  readonly matrices: readonly InspectedMatrix[];
  readonly entries: readonly InspectedEntry[];
}

/** Reads every matrix once to count and bound it; nothing is densified. */
export async function inspectStore(
  store: TensorStore,
  file: { readonly path: string; readonly bytes: number },
  signal?: AbortSignal,
): Promise<Inspection> {
  checkReadableMap('model-files', 'store of inspectStore', store);
  const entries = [...store.keys()].map((name) => {
    const { dtype, shape, codec, storedBytes, base } = store.info(name)!;
    return { name, dtype, shape, codec, storedBytes, ...(base !== undefined && { base }) };
  });
  const storedBytes = (name: string) => store.info(name)?.storedBytes ?? 0;
  const matrices: InspectedMatrix[] = [];
  for await (const [name, value] of entriesOf(recomposeSparse(store))) {
    checkAborted(signal);
    if (!('kind' in value) || value.kind !== 'linear') continue;
    const [rows, columns] = value.weight.shape;
    const nonzeros = value.weight.data.length;
    const names = linearNames(name);
    const { independent, rowsAndColumns } = maskBounds(value.weight);
    matrices.push({
      name,
      shape: [rows, columns],
      nonzeros,
      density: nonzeros === 0 ? 0 : nonzeros / (rows * columns),
      qscheme: value.qscheme,
      stored: {
        mask: storedBytes(names.indices) + storedBytes(names.indptr),
        values: storedBytes(names.data),
      },
      bounds: {
        maskIndependent: independent,
        maskRowsAndColumns: rowsAndColumns,
        values: valueEntropy(value.weight.data),
      },
    });
  }
  const architectures = store.metadata.config?.architectures;
  return {
    file: file.path,
    fileBytes: file.bytes,
    architecture: Array.isArray(architectures) ? String(architectures[0]) : undefined,
    profile: profileOf(store.metadata),
    tokenizerFiles: [...(store.metadata.files?.keys() ?? [])],
    matrices,
    entries,
  };
}
