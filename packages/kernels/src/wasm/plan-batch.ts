import type { Batch } from '../spec/check-batch.js';
import {
  FLOAT_ROW_BYTES,
  LANES,
  LAYER_PHASES,
  LAYER_RANGES,
  OTHER_PHASES,
  type Plan,
  QUERY_BLOCK,
  SCRATCH_FIXED,
} from './memory-map.js';

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
    | 'sequenceCount'
    | 'tokenMap'
    | 'io'
    | 'hiddenStates'
    | 'qkv'
    | 'context'
    | 'middle'
    | 'expanded'
    | 'ranges'
    | 'rangeStride'
    | 'counters'
    | 'scratch'
    | 'scratchStride'
    | 'maxKeys'
  >;
  /** For each lane the token that it computes. */
  readonly tokenMap: Int32Array;
  /** For each sequence its first lane, tokens and keys. */
  readonly sequences: Int32Array;
  /** Elements of `counters`. */
  readonly counters: number;
}

/** Lays out a checked batch from the address `begin` on. */
export function planBatch(batch: Batch, shape: EncoderShape, begin: number): BatchPlan {
  const { hidden, intermediate, heads, layers, threads } = shape;
  const { tokenMap, sequences, maxKeys } = mapLanes(batch);
  const lanes = tokenMap.length;
  const tiles = Math.ceil(lanes / LANES);
  const tile = tiles * FLOAT_ROW_BYTES;
  let end = begin;
  const take = (bytes: number) => {
    const address = end;
    end = Math.ceil((end + bytes) / 64) * 64;
    return address;
  };
  const rangeStride = Math.ceil((8 * threads) / 64) * 64;
  const counters = OTHER_PHASES + layers * LAYER_PHASES;
  // Query, key, value and context are not needed any more where the expanded activations are written.
  const shared = take(Math.max(4 * hidden, intermediate) * tile);
  const scratchStride = Math.ceil(scratchBytes(shape, maxKeys) / 4096) * 4096;
  const fields = {
    tiles,
    lanes,
    parts: partsOf(tiles, threads),
    sequences: take(sequences.byteLength),
    sequenceCount: sequences.length / 3,
    tokenMap: take(tokenMap.byteLength),
    io: take(4 * batch.tokens * hidden),
    hiddenStates: take(hidden * tile),
    qkv: shared,
    context: shared + 3 * hidden * tile,
    middle: take(hidden * tile),
    expanded: shared,
    ranges: take((layers + 1) * LAYER_RANGES * rangeStride),
    rangeStride,
    counters: take(4 * counters),
    scratchStride,
    scratch: take(threads * scratchStride),
    maxKeys,
  };
  // Vectors of the last lanes are read whole.
  return { end: end + 64, fields, tokenMap, sequences, counters };

  function scratchBytes({ hidden, intermediate }: EncoderShape, keys: number): number {
    const size = hidden / heads;
    const stride = Math.ceil(keys / 8) * 8 * 4;
    const widest = Math.max(hidden, intermediate);
    const linear = widest * LANES;
    // Scores, queries, and keys and values as float32; as int16 they are half as large.
    const attention = (keys + 8 + size) * 4 * QUERY_BLOCK + (size + Math.ceil(size / 4) * 4) * stride;
    return SCRATCH_FIXED + Math.max(linear, attention);
  }
}

/**
 * Every sequence starts at a multiple of 4 lanes; the lanes up to the next repeat its last token, so that whatever is computed in them is
 * already in every range.
 */
export function mapLanes({ lengths, keyLengths }: Pick<Batch, 'lengths' | 'keyLengths'>) {
  const sequences = new Int32Array(3 * lengths.length);
  const tokenMap = new Int32Array(lengths.reduce((lanes, length) => lanes + Math.ceil(length / 4) * 4, 0));
  let maxKeys = 0;
  let lane = 0;
  let token = 0;
  for (let s = 0; s < lengths.length; s++) {
    sequences.set([lane, lengths[s], keyLengths[s]], 3 * s);
    for (let i = 0; i < Math.ceil(lengths[s] / 4) * 4; i++) tokenMap[lane++] = token + Math.min(i, lengths[s] - 1);
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
