import { columnIndexArray } from './column-indices.js';
import type { CsrMatrix } from './int8-matrix.js';

/** What keeps arrays from being a CSR matrix, in the words of an error. */
export interface CsrFault {
  /**
   * `form`: the shape, a dtype or a length. `nnz`: the last row pointer is not the number of nonzeros.
   * `contents`: any other value.
   */
  readonly kind: 'form' | 'nnz' | 'contents';
  readonly what: string;
  readonly got: string | number;
  readonly wanted: string | number;
}

/** What {@link csrFault} accepts although a {@link CsrMatrix} does not have it. */
export interface CsrTolerance {
  readonly storedZeros?: boolean;
  /** uint16 or int32 indices, whatever the number of columns. */
  readonly anyIndices?: boolean;
}

/**
 * Finds the first thing that keeps arrays from being a {@link CsrMatrix}, or gives `undefined`. A matrix has two
 * integers >= 0 as its shape, dtypes and lengths that fit the shape, row pointers from 0 to nnz that never fall, column
 * indices that ascend within a row and lie inside the matrix, and no stored zero. Without a fault, no index can leave
 * an array.
 */
export function csrFault(
  matrix: CsrMatrix,
  { storedZeros = false, anyIndices = false }: CsrTolerance = {},
): CsrFault | undefined {
  return (
    formFault(matrix, anyIndices) ??
    pointerFault(matrix.indptr, matrix.data.length) ??
    columnsFault(matrix) ??
    (storedZeros ? undefined : zeroFault(matrix.data))
  );
}

/**
 * Says what is wrong with `column`, which is `indices[p]` of a row: it is not more than the column before it (-1 for
 * the first), or not less than `columns`.
 */
export function columnFault(row: number, p: number, column: number, previous: number, columns: number): CsrFault {
  return column <= previous
    ? contentsFault(`indices[${p}] does not ascend in row ${row}`, column, `more than ${previous}`)
    : contentsFault(`indices[${p}] is no column`, column, `less than ${columns}`);
}

function formFault({ shape, indptr, indices, data }: CsrMatrix, anyIndices: boolean): CsrFault | undefined {
  const [rows, columns] = shape;
  if (shape.length !== 2 || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    return { kind: 'form', what: 'not a matrix', got: `shape [${shape.join(', ')}]`, wanted: '[rows, columns]' };
  }
  const ofPointers = arrayFault('indptr', indptr, [Int32Array], rows + 1);
  if (ofPointers !== undefined) return ofPointers;
  const end = indptr[rows];
  // Where indices and data agree, the row pointers are at fault.
  const nnz = indices?.length === data?.length ? data?.length : end;
  const indexTypes = anyIndices ? [Uint16Array, Int32Array] : [columnIndexArray(columns)];
  const ofArrays = arrayFault('data', data, [Int8Array], nnz) ?? arrayFault('indices', indices, indexTypes, nnz);
  if (ofArrays !== undefined || end === nnz) return ofArrays;
  return { kind: 'nnz', what: `indptr[${rows}] is not the number of nonzeros`, got: end, wanted: nnz };
}

type ArrayType = typeof Int8Array | typeof Uint16Array | typeof Int32Array;

function arrayFault(
  what: string,
  array: Int8Array | Uint16Array | Int32Array,
  types: readonly ArrayType[],
  length: number,
): CsrFault | undefined {
  if (types.some((type) => array instanceof type) && array.length === length) return undefined;
  return {
    kind: 'form',
    what: `${what} does not fit the matrix`,
    got: `${array?.constructor?.name} of ${array?.length}`,
    wanted: `${types.map(({ name }) => name).join(' or ')} of ${length}`,
  };
}

function pointerFault(indptr: Int32Array, nnz: number): CsrFault | undefined {
  if (indptr[0] !== 0) return contentsFault('indptr[0] is not the start', indptr[0], 0);
  let previous = 0;
  for (let row = 1; row < indptr.length; row++) {
    const pointer = indptr[row];
    if (pointer < previous) return contentsFault(`indptr[${row}] falls`, pointer, `at least ${previous}`);
    if (pointer > nnz) return contentsFault(`indptr[${row}] exceeds nnz`, pointer, `at most ${nnz}`);
    previous = pointer;
  }
  return undefined;
}

function columnsFault({ shape, indptr, indices }: CsrMatrix): CsrFault | undefined {
  const [rows, columns] = shape;
  for (let row = 0; row < rows; row++) {
    const end = indptr[row + 1];
    let previous = -1;
    for (let p = indptr[row]; p < end; p++) {
      const column = indices[p];
      if (column <= previous) return columnFault(row, p, column, previous, columns);
      previous = column;
    }
    // Columns ascend, so the last one is the largest.
    if (previous >= columns) return columnFault(row, end - 1, previous, -1, columns);
  }
  return undefined;
}

function zeroFault(data: Int8Array): CsrFault | undefined {
  const zero = data.indexOf(0);
  return zero === -1 ? undefined : contentsFault(`data[${zero}] is a stored zero`, 0, 'a nonzero');
}

function contentsFault(what: string, got: number, wanted: string | number): CsrFault {
  return { kind: 'contents', what, got, wanted };
}
