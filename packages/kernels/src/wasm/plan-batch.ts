import type { Batch } from '../spec/check-batch.js';
import {
  CACHE_LINE_BYTES,
  CODE_ROW_BYTES,
  FIRST_LAYER_PHASE,
  ITEMS,
  KEYS_MULTIPLE,
  LANES,
  LAYER_PHASES,
  type Plan,
  PUBLISHED_RANGE,
  RANGES,
  ROW_BYTES,
  SCRATCH,
  SEQUENCE,
  SPARE_SCORE_ROWS,
  VECTOR_LANES,
  WIDE_QUERY_BLOCK,
} from './layout.js';
import { roundUp } from './round-up.js';
import { writeStruct } from './write-struct.js';

/** What of an encoder the working memory depends on. */
export interface EncoderShape {
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly layers: number;
  readonly threads: number;
}

/** Where everything of a batch is. */
export interface BatchPlan {
  /** The first byte after it. */
  readonly end: number;
  readonly fields: Pick<
    Plan,
    | 'tiles'
    | 'lanes'
    | 'parts'
    | 'sequences'
    | 'tokenMap'
    | 'io'
    | 'hiddenStates'
    | 'qkv'
    | 'context'
    | 'middle'
    | 'expanded'
    | 'ranges'
    | 'rangeStride'
    | 'items'
    | 'scratch'
    | 'scratchStride'
    | 'maxKeys'
  >;
  /** For each lane the token that it computes. */
  readonly tokenMap: Int32Array;
  /** The list of SEQUENCE. */
  readonly sequences: Uint8Array;
}

/** The distance between the scratches of two threads is a multiple of this. */
const SCRATCH_MULTIPLE = 4096;

/** Lays out a checked batch from the address `begin` on. */
export function planBatch(batch: Batch, shape: EncoderShape, begin: number): BatchPlan {
  const { hidden, intermediate, heads, layers, threads } = shape;
  const { tokenMap, sequences, maxKeys } = mapLanes(batch);
  const lanes = tokenMap.length;
  const tiles = Math.ceil(lanes / LANES);
  const tile = tiles * ROW_BYTES;
  let end = begin;
  const take = (bytes: number) => {
    const address = end;
    end = roundUp(end + bytes, CACHE_LINE_BYTES);
    return address;
  };
  const rangeStride = roundUp(PUBLISHED_RANGE.bytes * threads, CACHE_LINE_BYTES);
  // Query, key, value and context are not needed any more where the expanded activations are written.
  const shared = take(Math.max(4 * hidden, intermediate) * tile);
  const scratchStride = roundUp(scratchBytes(shape, maxKeys), SCRATCH_MULTIPLE);
  const fields = {
    tiles,
    lanes,
    parts: partsOf(tiles, threads),
    sequences: take(sequences.byteLength),
    tokenMap: take(tokenMap.byteLength),
    io: take(4 * batch.tokens * hidden),
    hiddenStates: take(hidden * tile),
    qkv: shared,
    context: shared + 3 * hidden * tile,
    middle: take(hidden * tile),
    expanded: shared,
    ranges: take((layers + 1) * RANGES.length * rangeStride),
    rangeStride,
    items: take(ITEMS.bytes * (FIRST_LAYER_PHASE + layers * LAYER_PHASES.length)),
    scratchStride,
    scratch: take(threads * scratchStride),
    maxKeys,
  };
  // Vectors of the last lanes are read whole.
  return { end: end + CACHE_LINE_BYTES, fields, tokenMap, sequences };

  function scratchBytes({ hidden, intermediate }: EncoderShape, keys: number): number {
    const size = hidden / heads;
    const stride = 4 * roundUp(keys, KEYS_MULTIPLE);
    const widest = Math.max(hidden, intermediate);
    const linear = widest * CODE_ROW_BYTES;
    const scores = 4 * (keys + SPARE_SCORE_ROWS) * WIDE_QUERY_BLOCK;
    const queries = 4 * size * WIDE_QUERY_BLOCK;
    // Float32 keys and values; as int16 they are half as large.
    const keysAndValues = (size + roundUp(size, VECTOR_LANES)) * stride;
    return SCRATCH.bytes + Math.max(linear, scores + queries + keysAndValues);
  }
}

/**
 * Every sequence starts at a multiple of VECTOR_LANES; the lanes up to the next repeat its last token, so that whatever is computed in them is
 * already in every range.
 */
export function mapLanes({ lengths, keyLengths }: Pick<Batch, 'lengths' | 'keyLengths'>) {
  const sequences = new Uint8Array(lengths.length * SEQUENCE.bytes);
  const view = new DataView(sequences.buffer);
  const tokenMap = new Int32Array(lengths.reduce((lanes, length) => lanes + roundUp(length, VECTOR_LANES), 0));
  let maxKeys = 0;
  let lane = 0;
  let token = 0;
  for (let s = 0; s < lengths.length; s++) {
    const sequence = { firstLane: lane, tokens: lengths[s], keys: keyLengths[s] };
    writeStruct(view, s * SEQUENCE.bytes, SEQUENCE, sequence);
    for (let i = 0; i < roundUp(lengths[s], VECTOR_LANES); i++) tokenMap[lane++] = token + Math.min(i, lengths[s] - 1);
    token += lengths[s];
    maxKeys = Math.max(maxKeys, keyLengths[s]);
  }
  return { tokenMap, sequences, maxKeys };
}

/** Parts of a matrix's rows: 1 where the tiles alone keep the threads busy, else as few as make the shares even within a quarter. */
function partsOf(tiles: number, threads: number): number {
  if (tiles === 0) return 1;
  let parts = 1;
  while ((Math.ceil((tiles * parts) / threads) * threads) / (tiles * parts) > 1.25 && parts < 4 * threads) parts++;
  return parts;
}
