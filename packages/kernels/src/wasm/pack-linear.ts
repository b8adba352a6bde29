import type { CsrMatrix, DenseInt8Matrix, QuantizationProfile } from '@prune/state-dict';
import type { AnyLinear, FloatLinear } from '../spec/encoder-spec.js';
import { CHUNK, FLOAT_ROW_BYTES, LANES } from './memory-map.js';

/** A Linear in the form that the kernels read; assembly/sparse.ts and linear.ts say what the stream is. */
export interface PackedLinear {
  readonly kind: 'int8' | 'float';
  readonly rows: number;
  readonly columns: number;
  readonly blocks: number;
  readonly blockColumns: number;
  /** Of no use after the next call of {@link packLinear}. */
  readonly stream: Uint8Array;
  /** uint32 `[blocks][chunks]`: where each chunk of rows begins in the stream. */
  readonly starts: Uint32Array;
  /** int32 `[rows]`: sums of the weights. */
  readonly sums: Int32Array;
  /** float32 `[rows]` */
  readonly scales: Float32Array;
  /** float32 `[rows]`, -0 where the Linear has none: `x + -0` is x for every x. */
  readonly bias: Float32Array;
}

/**
 * Columns of a block: 768 features of 32 tokens are 24 KB, which stay in a 32 KB L1 while all rows pass. Without blocks a 3,072 wide
 * matrix takes 1.5 times as long.
 */
export const BLOCK_COLUMNS = 768;

/**
 * What the magnitudes of a group may add up to, of either sign: 255 * 127 and 510 * 64 (codes 0..127, as they are or less 64, the edge code
 * 128 included) and 255 * 128 (codes 0..255 less 128) are below 2^15, so that no activation can make a 16-bit sum overflow.
 */
export const GROUP_BOUND = 255;

let scratch: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Packs a Linear that `checkLinear` has passed. */
export function packLinear(module: AnyLinear, profile: QuantizationProfile): PackedLinear {
  if (module.kind === 'float') return packFloat(module);
  const { weight, scales, bias } = module;
  const csr = 'intRepr' in weight ? csrOf(weight) : weight;
  const [rows, columns] = csr.shape;
  return {
    kind: 'int8',
    ...packCsr(csr, profile !== 'fbgemm'),
    scales: Float32Array.from({ length: rows }, (_, row) => scales[scales.length === 1 ? 0 : row]),
    bias: bias === null ? new Float32Array(rows).fill(-0) : (bias.data as Float32Array),
    rows,
    columns,
  };
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
 * Writes the stream. Within a row and a block the order is free (sums are exact), so positive and negative weights fill their two bounds of
 * a group independently. A stored zero, which no matrix of ours has, takes part like a positive weight.
 */
function packCsr({ shape, indptr, indices, data }: CsrMatrix, split: boolean) {
  const [rows, columns] = shape;
  const blocks = Math.ceil(columns / BLOCK_COLUMNS);
  const blockColumns = Math.ceil(columns / blocks);
  const chunks = Math.ceil(rows / CHUNK);
  const starts = new Uint32Array(blocks * chunks);
  const sums = new Int32Array(rows);
  // A nonzero takes at most a group of its own, twice where 128 is split: 16 bytes.
  const bytes = reserve(16 * data.length + 4 * rows * blocks);
  // Where each row's nonzeros of the next block begin.
  const next = indptr.slice(0, rows);
  const pairWriter = new GroupWriter(bytes, Math.min(columns, blockColumns) * 2);
  for (let block = 0; block < blocks; block++) {
    const firstColumn = block * blockColumns;
    const endColumn = firstColumn + blockColumns;
    for (let row = 0; row < rows; row++) {
      if (row % CHUNK === 0) starts[block * chunks + row / CHUNK] = pairWriter.at;
      const end = indptr[row + 1];
      let i = next[row];
      let sum = 0;
      pairWriter.beginRow();
      for (; i < end && indices[i] < endColumn; i++) {
        sum += data[i];
        pairWriter.add((indices[i] - firstColumn) * LANES, data[i], split);
      }
      if (split) pairWriter.endSplitRow();
      else pairWriter.endMixedRow();
      next[row] = i;
      sums[row] += sum;
    }
  }
  return { blocks, blockColumns, stream: bytes.subarray(0, pairWriter.at), starts, sums };
}

/** One row at a time: takes weights in, writes groups. */
class GroupWriter {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #plusOffsets: Uint16Array;
  readonly #plusWeights: Uint8Array;
  readonly #minusOffsets: Uint16Array;
  readonly #minusWeights: Uint8Array;
  #plus = 0;
  #minus = 0;

  constructor(bytes: Uint8Array, entries: number) {
    this.#bytes = bytes;
    this.#plusOffsets = new Uint16Array(entries);
    this.#plusWeights = new Uint8Array(entries);
    this.#minusOffsets = new Uint16Array(entries);
    this.#minusWeights = new Uint8Array(entries);
  }

  beginRow() {
    this.#plus = 0;
    this.#minus = 0;
  }

  add(offset: number, weight: number, split: boolean) {
    if (weight >= 0) {
      this.#plusOffsets[this.#plus] = offset;
      this.#plusWeights[this.#plus++] = weight;
      return;
    }
    // -128 has no 7-bit magnitude: twice 64.
    const twice = split && weight === -128;
    for (let times = twice ? 2 : 1; times > 0; times--) {
      this.#minusOffsets[this.#minus] = offset;
      this.#minusWeights[this.#minus++] = twice ? 64 : -weight;
    }
  }

  endMixedRow() {
    const header = this.at;
    this.at += 4;
    let groups = 0;
    for (let i = 0, j = 0; i < this.#plus || j < this.#minus; groups++) {
      const group = this.at;
      let entries = 0;
      for (let left = GROUP_BOUND; i < this.#plus && this.#plusWeights[i] <= left; i++) {
        left -= this.#plusWeights[i];
        this.#entry(group, entries++, this.#plusOffsets[i], this.#plusWeights[i]);
      }
      for (let left = GROUP_BOUND; j < this.#minus && this.#minusWeights[j] <= left; j++) {
        left -= this.#minusWeights[j];
        this.#entry(group, entries++, this.#minusOffsets[j], -this.#minusWeights[j]);
      }
      this.#endGroup(group, entries);
    }
    this.#uint16(header, 0);
    this.#uint16(header + 2, groups);
  }

  endSplitRow() {
    const header = this.at;
    this.at += 4;
    this.#uint16(header, this.#groups(this.#minusOffsets, this.#minusWeights, this.#minus));
    this.#uint16(header + 2, this.#groups(this.#plusOffsets, this.#plusWeights, this.#plus));
  }

  #groups(offsets: Uint16Array, weights: Uint8Array, count: number): number {
    let groups = 0;
    for (let i = 0; i < count; groups++) {
      const group = this.at;
      let entries = 0;
      for (let left = GROUP_BOUND; i < count && weights[i] <= left; i++) {
        left -= weights[i];
        this.#entry(group, entries++, offsets[i], weights[i]);
      }
      this.#endGroup(group, entries);
    }
    return groups;
  }

  #entry(group: number, index: number, offset: number, weight: number) {
    const pair = group + 2 + 6 * (index >> 1);
    this.#uint16(pair + 2 * (index & 1), offset);
    this.#bytes[pair + 4 + (index & 1)] = weight;
  }

  #endGroup(group: number, entries: number) {
    // Offset 0 is a feature of every block.
    if (entries & 1) this.#entry(group, entries, 0, 0);
    const pairs = (entries + 1) >> 1;
    this.#uint16(group, pairs);
    this.at = group + 2 + 6 * pairs;
  }

  #uint16(at: number, value: number) {
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >> 8;
  }
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
    stream: bytes.subarray(0, 4 * at),
    starts,
    sums: new Int32Array(rows),
    scales: new Float32Array(rows),
    bias: bias ?? new Float32Array(rows).fill(-0),
  };
}

function reserve(length: number): Uint8Array<ArrayBuffer> {
  if (scratch.length < length) scratch = new Uint8Array(Math.ceil(length / 4) * 4);
  return scratch;
}
