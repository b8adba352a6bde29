import { type CsrRows, type QuantizationProfile, type QuantizedLinear, type RowTaker, takeRows } from '@prune/core';
import type { FloatLinear, LayerLinear } from '../spec/encoder-spec.js';
import { rowsOf } from '../spec/rows-of.js';
import { CHUNK, CODE_ROW_BYTES, FLOAT_ROW_HEADER, FLOAT_WEIGHT, type LINEAR_KINDS, ROW_BYTES } from './layout.js';
import { roundUp } from './round-up.js';
import { RowWriter, type StreamForm } from './row-writer.js';

/** A Linear in the form that the kernels read. LINEAR in layout.ts says what most of these fields are. */
export interface PackedLinear {
  readonly kind: (typeof LINEAR_KINDS)[number];
  readonly rows: number;
  readonly columns: number;
  readonly blocks: number;
  readonly blockColumns: number;
  readonly chunks: number;
  readonly chunkRows: number;
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

/** Memory of this many bytes is used again; what a masked LM's dense decoder takes, three times its 75 MB, is let go. */
const KEPT_BYTES = 2 ** 24;

// The stream of a float Linear, in words of 32 bits.
const HEADER_WORDS = FLOAT_ROW_HEADER.bytes / 4;
const WEIGHT_WORDS = FLOAT_WEIGHT.bytes / 4;
const OFFSET_WORD = FLOAT_WEIGHT.fields.offset.at / 4;
const VALUE_WORD = FLOAT_WEIGHT.fields.value.at / 4;

let scratch: Uint8Array<ArrayBuffer> = new Uint8Array(0);
/** One for each block of columns, used again: memory that nobody has touched takes a tenth of the time of packing. */
const writerPool: RowWriter[] = [];

/** What a Linear's stream depends on, beside the Linear. */
export interface PackMode {
  readonly profile: QuantizationProfile;
  /** Whether nonzeros are written in quads, for kernels that sum four products at once. */
  readonly dot4: boolean;
}

/** Packs a Linear that `checkLinear` has passed. Throws `corrupt`, with `tensor`, for a matrix of rows that are not those of its shape, and what they throw. */
export function packLinear(module: LayerLinear, { profile, dot4 }: PackMode, tensor?: string): PackedLinear {
  if (module.kind === 'float') return packFloat(module);
  const { weight } = module;
  const [rows, columns] = weight.shape;
  const form = dot4 ? 'dot4' : profile === 'fbgemm' ? 'mixed' : 'split';
  const { largest, ...packed } = packRows(rowsOf(weight), module, form, tensor);
  return {
    kind: 'int8',
    ...packed,
    // A code less its zero point is at most 128 where codes have 7 bits, else 255; a float32 holds integers up to 2^24.
    smallSums: largest * (profile === 'fbgemm' ? 128 : 255) <= 2 ** 24,
    bias: new Float32Array(0),
    rows,
    columns,
  };
}

/**
 * Writes the stream. Sums are exact, so the order of rows, groups and nonzeros is free, and chosen for speed: the rows of a chunk are sorted
 * by the lengths of their groups, which makes the kernel's loops run the same number of times for some rows on end (a mispredicted end of
 * a loop costs as much as three pairs). Sorting 256 rows for 16 gains nothing.
 *
 * Rows are taken one after another, as a stored matrix hands them out: making its arrays first takes 4 % more time and 7 MB more of memory (BERT-base).
 * Their columns are checked here, as `takeRows` asks for, because nobody has checked them before.
 */
function packRows(
  source: CsrRows,
  { scales, bias }: QuantizedLinear<unknown>,
  form: StreamForm,
  tensor: string | undefined,
) {
  const [rows, columns] = source.shape;
  const blocks = Math.max(1, Math.ceil(columns / BLOCK_COLUMNS));
  const blockColumns = Math.ceil(columns / blocks);
  const writers = writersFor(blocks, rows, form);
  /** The largest sum of a row's magnitudes. */
  let largest = 0;
  const take: RowTaker = (row, indices, data, start, end) => {
    const scale = scales[scales.length === 1 ? 0 : row];
    const rowBias = bias === null ? -0 : bias.data[row];
    let last = -1;
    let i = start;
    for (let block = 0; block < blocks; block++) {
      const writer = writers[block];
      const firstColumn = block * blockColumns;
      const endColumn = Math.min(firstColumn + blockColumns, columns);
      for (; i < end; i++) {
        const column = indices[i];
        if (column <= last || column >= endColumn) break;
        last = column;
        writer.add((column - firstColumn) * CODE_ROW_BYTES, data[i]);
      }
    }
    if (i !== end) return i;
    let sum = 0;
    let magnitudes = 0;
    for (let block = 0; block < blocks; block++) {
      sum += writers[block].sum;
      magnitudes += writers[block].magnitudes;
    }
    largest = Math.max(largest, magnitudes);
    for (let block = 0; block < blocks; block++) writers[block].endRow(row, sum, scale, rowBias);
    return end;
  };
  takeRows(source, take, { where: 'kernels', tensor });

  // One thread adds up all blocks of a row, so the same rows make a chunk in each block.
  const chunkRows = blocks > 1 ? Math.max(1, Math.ceil(rows / BLOCKED_CHUNKS)) : CHUNK;
  const chunks = Math.ceil(rows / chunkRows);
  const starts = new Uint32Array(blocks * chunks);
  const stream = reserve(writers.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  writers.forEach((writer, block) => {
    for (let first = 0; first < rows; first += chunkRows) {
      writer.forEachSorted(first, Math.min(rows, first + chunkRows), (bytes, place) => {
        if (place % chunkRows === 0) starts[block * chunks + place / chunkRows] = at;
        stream.set(bytes, at);
        at += bytes.length;
      });
    }
  });
  if (stream.length > KEPT_BYTES) {
    scratch = new Uint8Array(0);
    writerPool.length = 0;
  } else writerPool.unshift(...writers);
  return { blocks, blockColumns, chunks, chunkRows, stream: stream.subarray(0, at), starts, largest };
}

/** Zeros are left out: `sum + 0 * x` is `sum` for every finite x. */
function packFloat({ weight, shape, bias }: FloatLinear): PackedLinear {
  const [rows, columns] = shape;
  const chunks = Math.ceil(rows / CHUNK);
  let nonzeros = 0;
  for (let i = 0; i < weight.length; i++) if (weight[i] !== 0) nonzeros++;
  const wordCount = HEADER_WORDS * rows + WEIGHT_WORDS * nonzeros;
  const bytes = reserve(4 * wordCount);
  const words = new Uint32Array(bytes.buffer, 0, wordCount);
  const floats = new Float32Array(bytes.buffer, 0, words.length);
  const starts = new Uint32Array(chunks);
  let at = 0;
  for (let row = 0, i = 0; row < rows; row++) {
    if (row % CHUNK === 0) starts[row / CHUNK] = 4 * at;
    const header = at;
    at += HEADER_WORDS;
    const begin = at;
    for (let column = 0; column < columns; column++, i++) {
      if (weight[i] === 0) continue;
      words[at + OFFSET_WORD] = column * ROW_BYTES;
      floats[at + VALUE_WORD] = weight[i];
      at += WEIGHT_WORDS;
    }
    words[header] = (at - begin) / WEIGHT_WORDS;
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

/**
 * Takes writers out of the pool, so that no other matrix gets them until this one is packed: a source may pack another
 * matrix while it hands out rows.
 */
function writersFor(blocks: number, rows: number, form: StreamForm): RowWriter[] {
  const writers = writerPool.splice(0, blocks);
  while (writers.length < blocks) writers.push(new RowWriter(BLOCK_COLUMNS));
  for (const writer of writers) writer.restart(rows, form);
  return writers;
}

function reserve(length: number): Uint8Array<ArrayBuffer> {
  if (scratch.length < length) scratch = new Uint8Array(roundUp(length, 4));
  return scratch;
}
