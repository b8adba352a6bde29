import {
  ATTENTION_OUTPUT, KEYS_MULTIPLE, LANES, linearColumns, planContext, planHeads, planHidden, planMaxKeys, planQkv, planQueryScale, planSequences, QUERY_BLOCK, ROW_BYTES,
  SEQUENCE_BYTES, sequenceFirstLane, sequenceKeys, sequenceTokens, SPARE_SCORE_ROWS, WIDE_QUERY_BLOCK,
} from './generated/layout';
import { attentionScratch, linearAt, step, storeBlock } from './memory';
import { expOfNegative } from './math';
import { productsFloat } from './products';
import { rangeHigh, rangeLow, setRange } from './range';

// One item of work is a head of a sequence; a block of queries at a time (two vectors, four in the wide build) against all its keys.
// Functions of a block take its number of vectors, a constant. src/wasm/layout.ts says where everything is in the
// scratch.
//
// src/reference/attention.ts defines the order of every sum, and each is implemented once: sums of products in
// products.ts, over features for a score and over keys for a context; the sum of the exponentials in exponentialsOf
// below, over keys. A lane adds up the sum of one query on its own, so the size of a block changes no order.

/** Where a lane of a buffer with `features` features starts. */
@inline export function laneAt(buffer: i32, features: i32, lane: i32): i32 {
  return buffer + (lane / LANES) * features * ROW_BYTES + ((lane & (LANES - 1)) << 2);
}

// Heads may have been pruned from a layer. Those that are left have the size of all heads, and lie side by side.

/** Heads of the current layer, and the features of its context. Set once a layer. */
export let layerHeads: i32 = 0;
let contextFeatures: i32 = 0;
export function setLayerHeads(layer: i32): void {
  contextFeatures = linearColumns(linearAt(layer, ATTENTION_OUTPUT));
  layerHeads = contextFeatures / headSize();
}

/** Features of a head. */
@inline export function headSize(): i32 { return planHidden() / planHeads(); }

@inline export function sequenceAt(item: i32): i32 { return planSequences() + (item / layerHeads) * SEQUENCE_BYTES; }

/** Room for the keys of a feature, as float32. */
@inline export function keyStride(): i32 { return ((planMaxKeys() + (KEYS_MULTIPLE - 1)) & ~(KEYS_MULTIPLE - 1)) << 2; }

/** Queries of the largest block of this build. */
export const BLOCK: i32 = WIDE ? WIDE_QUERY_BLOCK : QUERY_BLOCK;

/** src/reference/attention.ts for one head of one sequence. */
export function attendFloat(item: i32): void {
  const sequence = sequenceAt(item);
  const first = sequenceFirstLane(sequence);
  const tokens = sequenceTokens(sequence);
  const keys = sequenceKeys(sequence);
  const hidden = planHidden();
  const size = headSize();
  const feature = (item % layerHeads) * size;
  const qkv = planQkv() + feature * ROW_BYTES;
  const stride = keyStride();
  const scores = attentionScratch();
  const queries = scores + (planMaxKeys() + SPARE_SCORE_ROWS) * (BLOCK << 2);
  const packedKeys = queries + size * (BLOCK << 2);
  const packedValues = packedKeys + size * stride;
  // Four features of all keys.
  const four = ((keys + 3) & ~3) << 4;
  copyKeys(qkv + hidden * ROW_BYTES, first, keys, size, packedKeys);
  copyValues(qkv + 2 * hidden * ROW_BYTES, first, keys, size, packedValues, four);
  const context = planContext() + feature * ROW_BYTES;
  for (let token = 0; token < tokens; token += BLOCK) {
    step();
    const left = tokens - token;
    if (WIDE && left > QUERY_BLOCK) attendBlock(4, qkv, first + token, left, keys, size, scores, queries, packedKeys, packedValues, four, context);
    else attendBlock(2, qkv, first + token, left, keys, size, scores, queries, packedKeys, packedValues, four, context);
  }
}

@inline function attendBlock(
  vectors: i32, qkv: i32, lane: i32, left: i32, keys: i32, size: i32, scores: i32, queries: i32, packedKeys: i32, packedValues: i32, four: i32,
  context: i32,
): void {
  const row = vectors << 4;
  const factor = f32x4.splat(planQueryScale());
  for (let v = 0; v < vectors; v += 2) {
    const q0 = firstOf(qkv, 3 * planHidden(), lane, v), q1 = secondOf(qkv, 3 * planHidden(), lane, v, left);
    const to = queries + (v << 4);
    for (let i = 0; i < size; i++) {
      v128.store(to + i * row, f32x4.mul(v128.load(q1 + i * ROW_BYTES), factor), 16);
      v128.store(to + i * row, f32x4.mul(v128.load(q0 + i * ROW_BYTES), factor));
    }
  }
  for (let k = 0; k < keys; k += 4) productsFloat(vectors, queries, size, packedKeys + k * (size << 2), scores + k * row);
  exponentials(vectors, scores, keys);
  const sums = scores + keys * row, results = sums + row;
  for (let i = 0, v = packedValues; i < size; i += 4) {
    productsFloat(vectors, scores, keys, v, results);
    keep(vectors, results, sums, min(4, size - i), context + i * ROW_BYTES, lane, left);
    v += four;
  }
}

/** shapes: f32[size][32] from lane `first` on -> f32[keys / 4][size][4] */
function copyKeys(buffer: i32, first: i32, keys: i32, size: i32, to: i32): void {
  const features = 3 * planHidden();
  for (let k = 0; k < keys; k += 4) {
    let p = laneAt(buffer, features, first + k);
    for (const end = p + size * ROW_BYTES; p < end; p += ROW_BYTES) {
      v128.store(to, v128.load(p));
      to += 16;
    }
  }
}

/** shapes: f32[size][32] from lane `first` on -> f32[size / 4][keys][4], four features in `four` bytes */
function copyValues(buffer: i32, first: i32, keys: i32, size: i32, to: i32, four: i32): void {
  const features = 3 * planHidden();
  for (let k = 0; k < keys; k += 4) {
    let p = laneAt(buffer, features, first + k);
    let q = to + (k << 4);
    for (let i = 0; i < size; i += 4) {
      const a = v128.load(p);
      const b = i + 1 < size ? v128.load(p, ROW_BYTES) : a;
      const c = i + 2 < size ? v128.load(p, 2 * ROW_BYTES) : a;
      const d = i + 3 < size ? v128.load(p, 3 * ROW_BYTES) : a;
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(q, v128.shuffle<i64>(ab0, cd0, 0, 2));
      v128.store(q, v128.shuffle<i64>(ab0, cd0, 1, 3), 16);
      v128.store(q, v128.shuffle<i64>(ab1, cd1, 0, 2), 32);
      v128.store(q, v128.shuffle<i64>(ab1, cd1, 1, 3), 48);
      p += 4 * ROW_BYTES;
      q += four;
    }
  }
}

/** Scores to e^(score - max); their sums follow the last. shapes: scores f32[keys][block] -> f32[keys + 1][block] */
@inline function exponentialsOf(vectors: i32, scores: i32, keys: i32): void {
  const row = vectors << 4;
  const end = scores + keys * row;
  let m0 = v128.load(scores), m1 = v128.load(scores, 16);
  let m2 = vectors > 2 ? v128.load(scores, 32) : m0, m3 = vectors > 2 ? v128.load(scores, 48) : m0;
  for (let p = scores; p < end; p += row) {
    m0 = f32x4.pmax(m0, v128.load(p));
    m1 = f32x4.pmax(m1, v128.load(p, 16));
    if (vectors > 2) {
      m2 = f32x4.pmax(m2, v128.load(p, 32));
      m3 = f32x4.pmax(m3, v128.load(p, 48));
    }
  }
  let s0 = f32x4.splat(0);
  let s1 = s0, s2 = s0, s3 = s0;
  for (let p = scores; p < end; p += row) {
    const e0 = expOfNegative(f32x4.sub(v128.load(p), m0));
    const e1 = expOfNegative(f32x4.sub(v128.load(p, 16), m1));
    s0 = f32x4.add(s0, e0);
    s1 = f32x4.add(s1, e1);
    let e2 = e0, e3 = e1;
    if (vectors > 2) {
      e2 = expOfNegative(f32x4.sub(v128.load(p, 32), m2));
      e3 = expOfNegative(f32x4.sub(v128.load(p, 48), m3));
      s2 = f32x4.add(s2, e2);
      s3 = f32x4.add(s3, e3);
    }
    storeBlock(vectors, p, e0, e1, e2, e3);
  }
  storeBlock(vectors, end, s0, s1, s2, s3);
}

function exponentials8(scores: i32, keys: i32): void { exponentialsOf(2, scores, keys); }
function exponentials16(scores: i32, keys: i32): void { exponentialsOf(4, scores, keys); }

@inline export function exponentials(vectors: i32, scores: i32, keys: i32): void {
  if (WIDE && vectors == 4) exponentials16(scores, keys);
  else exponentials8(scores, keys);
}

/**
 * Puts `count` features of a block's context where they belong, as far as there are tokens left, and keeps their range. Divides by `sums` first,
 * unless that is 0. shapes: from f32[count][block], sums f32[block] -> context f32[count][32] from `lane` on
 */
@inline export function keep(vectors: i32, from: i32, sums: i32, count: i32, context: i32, lane: i32, left: i32): void {
  let high0 = rangeHigh(0), high1 = rangeHigh(1), low0 = rangeLow(0), low1 = rangeLow(1);
  for (let v = 0; v < vectors; v += 2) {
    let to0 = firstOf(context, contextFeatures, lane, v), to1 = secondOf(context, contextFeatures, lane, v, left);
    for (let p = from + (v << 4), end = p + count * (vectors << 4); p < end; p += vectors << 4) {
      let y0 = v128.load(p), y1 = v128.load(p, 16);
      if (sums) {
        y0 = f32x4.div(y0, v128.load(sums + (v << 4)));
        y1 = f32x4.div(y1, v128.load(sums + (v << 4), 16));
      }
      v128.store(to1, y1);
      v128.store(to0, y0);
      high0 = i32x4.max_s(high0, y0);
      high1 = i32x4.max_s(high1, y1);
      low0 = i32x4.max_u(low0, y0);
      low1 = i32x4.max_u(low1, y1);
      to0 += ROW_BYTES;
      to1 += ROW_BYTES;
    }
  }
  setRange(high0, high1, low0, low1);
}

// Where two vectors of a block are, from vector `v` on. Past the last token the second is the first again: computed, and overwritten by it.
@inline export function firstOf(buffer: i32, features: i32, lane: i32, v: i32): i32 { return laneAt(buffer, features, lane + (v << 2)); }
@inline export function secondOf(buffer: i32, features: i32, lane: i32, v: i32, left: i32): i32 {
  return laneAt(buffer, features, lane + (v << 2) + ((v << 2) + 4 < left ? 4 : 0));
}
