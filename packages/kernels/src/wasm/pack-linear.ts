import type { CsrMatrix, DenseInt8Matrix, QuantizationProfile, QuantizedLinear } from '@prune/state-dict';
import type { AnyLinear, FloatLinear } from '../spec/encoder-spec.js';
import { CHUNK, FLOAT_ROW_BYTES, LANES } from './memory-map.js';
import { HEADER, RowWriter } from './row-writer.js';

/** A Linear in the form that the kernels read; assembly/sparse.ts and linear.ts say what the stream is. */
export interface PackedLinear {
  readonly kind: 'int8' | 'float';
  readonly rows: number;
  readonly columns: number;
  readonly blocks: number;
  readonly blockColumns: number;
  /** The units in which threads share the matrix, and the rows of each but the last. */
  readonly chunks: number;
  readonly chunkRows: number;
  /** Whether every sum, whatever the activations, is a float32 as it is. */
  readonly smallSums: boolean;
  /** Of no use after the next call of {@link packLinear}. */
  readonly stream: Uint8Array;
  /** uint32 `[blocks][chunks]`: where each chunk of rows begins in the stream. */
  readonly starts: Uint32Array;
  /** float32 `[rows]` of a float Linear, -0 where it has none: `x + -0` is x for every x. An int8 one has it in its stream. */
  readonly bias: Float32Array;
}

/**
 * Columns of a block: 768 features of 32 tokens are 24 KB, which stay in a 32 KB L1 while all rows pass. Without blocks a 3,072 wide
 * matrix takes 1.5 times as long.
 */
const BLOCK_COLUMNS = 768;

/**
 * Chunks of a matrix with several blocks: as many threads can share it when there are fewer tiles than threads. More would leave too few rows
 * to sort.
 */
const BLOCKED_CHUNKS = 4;

/** Rows of a matrix of one block that are sorted together: enough for long runs of alike rows, and their outputs stay in the cache (1 % faster). */
const SORTED_ROWS = 16 * CHUNK;

let scratch: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Packs a Linear that `checkLinear` has passed. */
export function packLinear(module: AnyLinear, profile: QuantizationProfile): PackedLinear {
  if (module.kind === 'float') return packFloat(module);
  const { weight } = module;
  const csr = 'intRepr' in weight ? csrOf(weight) : weight;
  const [rows, columns] = csr.shape;
  const { sums, largest } = sumRows(csr);
  return {
    kind: 'int8',
    ...packCsr(csr, sums, module, profile !== 'fbgemm'),
    // A code less its zero point is at most 128 where codes have 7 bits, else 255; a float32 holds integers up to 2^24.
    smallSums: largest * (profile === 'fbgemm' ? 128 : 255) <= 2 ** 24,
    bias: new Float32Array(0),
    rows,
    columns,
  };
}

/** The sum of each row's weights, and the largest sum of magnitudes. */
function sumRows({ shape: [rows], indptr, data }: CsrMatrix) {
  const sums = new Int32Array(rows);
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    let [sum, magnitudes] = [0, 0];
    for (let i = indptr[row]; i < indptr[row + 1]; i++) {
      sum += data[i];
      magnitudes += Math.abs(data[i]);
    }
    sums[row] = sum;
    largest = Math.max(largest, magnitudes);
  }
  return { sums, largest };
}

function csrOf({ shape, intRepr }: DenseInt8Matrix): CsrMatrix {
  const [rows, columns] = shape;
  const indptr = new Int32Array(rows + 1);
  for (let i = 0; i < intRepr.length; i++) if (intRepr[i] !== 0) indptr[Math.floor(i / columns) + 1]++;
  for (let row = 0; row < rows; row++) indptr[row + 1] += indptr[row];
  const indices = new Int32Array(indptr[rows]);
  const data = new Int8Array(indptr[rows]);
  for (let row = 0, next = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      if (intRepr[i] === 0) continue;
      indices[next] = column;
      data[next++] = intRepr[i];
    }
  }
  return { shape, indptr, indices, data };
}

/**
 * Writes the stream. Sums are exact, so the order of rows, groups and nonzeros is free, and chosen for speed: the rows of a chunk are sorted
 * by the lengths of their groups, which makes the kernel's loops run the same number of times for many rows on end (a mispredicted end of
 * a loop costs as much as three pairs).
 */
function packCsr(
  { shape, indptr, indices, data }: CsrMatrix,
  sums: Int32Array,
  { scales, bias }: QuantizedLinear<unknown>,
  split: boolean,
) {
  const [rows, columns] = shape;
  const blocks = Math.ceil(columns / BLOCK_COLUMNS);
  const blockColumns = Math.ceil(columns / blocks);
  // One thread adds up all blocks of a row: with several blocks the same rows make a chunk in each, so there the sorting stops at chunks.
  const chunkRows = blocks > 1 ? Math.ceil(rows / BLOCKED_CHUNKS) : CHUNK;
  const chunks = Math.ceil(rows / chunkRows);
  const sortedRows = blocks > 1 ? chunkRows : SORTED_ROWS;
  const starts = new Uint32Array(blocks * chunks);
  // A nonzero is at most a group of its own, and twice there where 128 is split.
  const stream = reserve(16 * data.length + HEADER * rows * blocks);
  const view = new DataView(stream.buffer);
  const writer = new RowWriter(blockColumns, split);
  const next = indptr.slice(0, rows);
  let at = 0;
  for (let block = 0; block < blocks; block++) {
    const firstColumn = block * blockColumns;
    const endColumn = firstColumn + blockColumns;
    for (let first = 0; first < rows; first += sortedRows) {
      const end = Math.min(rows, first + sortedRows);
      writer.restart(end - first);
      for (let row = first; row < end; row++) {
        const endOfRow = indptr[row + 1];
        let i = next[row];
        for (; i < endOfRow && indices[i] < endColumn; i++) {
          writer.add((indices[i] - firstColumn) * LANES, data[i]);
        }
        next[row] = i;
        writer.endRow(row);
      }
      writer.forEachSorted((bytes, index) => {
        if (index % chunkRows === 0) starts[block * chunks + (first + index) / chunkRows] = at;
        stream.set(bytes, at);
        const row = view.getUint32(at, true);
        view.setInt32(at + 4, sums[row], true);
        view.setFloat32(at + 8, scales[scales.length === 1 ? 0 : row], true);
        view.setFloat32(at + 12, bias === null ? -0 : bias.data[row], true);
        at += bytes.length;
      });
    }
  }
  return { blocks, blockColumns, chunks, chunkRows, stream: stream.subarray(0, at), starts };
}

/** Zeros are left out: `sum + 0 * x` is `sum` for every finite x. */
function packFloat({ weight, shape, bias }: FloatLinear): PackedLinear {
  const [rows, columns] = shape;
  const chunks = Math.ceil(rows / CHUNK);
  let nonzeros = 0;
  for (let i = 0; i < weight.length; i++) if (weight[i] !== 0) nonzeros++;
  const bytes = reserve(4 * rows + 8 * nonzeros);
  const words = new Uint32Array(bytes.buffer, 0, rows + 2 * nonzeros);
  const floats = new Float32Array(bytes.buffer, 0, words.length);
  const starts = new Uint32Array(chunks);
  let at = 0;
  for (let row = 0, i = 0; row < rows; row++) {
    if (row % CHUNK === 0) starts[row / CHUNK] = 4 * at;
    const count = at++;
    for (let column = 0; column < columns; column++, i++) {
      if (weight[i] === 0) continue;
      words[at] = column * FLOAT_ROW_BYTES;
      floats[at + 1] = weight[i];
      at += 2;
    }
    words[count] = (at - count - 1) / 2;
  }
  return {
    kind: 'float',
    rows,
    columns,
    blocks: 1,
    blockColumns: columns,
    chunks,
    chunkRows: CHUNK,
    smallSums: false,
    stream: bytes.subarray(0, 4 * at),
    starts,
    bias: bias ?? new Float32Array(rows).fill(-0),
  };
}

function reserve(length: number): Uint8Array<ArrayBuffer> {
  if (scratch.length < length) scratch = new Uint8Array(Math.ceil(length / 4) * 4);
  return scratch;
}
