import {
  attentionScratch, LANES, planContext, planHeads, planHidden, planMaxKeys, planQkv, planQueryScale, planSequences, ROW,
} from './memory';
import { expOfNegative } from './math';
import { rangeHigh, rangeLow, setRange } from './range';

// One item of work is a head of a sequence; eight queries (two vectors) at a time against all its keys. Memory map of the scratch:
//
//     scores   f32 or i16 pairs [keys + 4][8 lanes]     4 KB for 128 keys: stays in L1
//     queries  f32 [size][8], or i16 pairs [size / 2][8]
//     keys     f32 [keys / 4][size][4], or i16 pairs of features [keys / 4][size / 2][4]
//     values   f32 [size / 4][keys][4], or i16 pairs of keys [size / 4][keys / 2][4]; both are read from end to end

/** Where a lane of a buffer with `features` features starts. */
@inline export function laneAt(buffer: i32, features: i32, lane: i32): i32 {
  return buffer + (lane / LANES) * features * ROW + ((lane & (LANES - 1)) << 2);
}

// A sequence in the list: first lane, tokens, keys.
@inline export function sequenceAt(item: i32): i32 { return planSequences() + (item / planHeads()) * 12; }

/** src/reference/attention.ts for one head of one sequence. */
export function attendFloat(item: i32): void {
  const sequence = sequenceAt(item);
  const first = load<i32>(sequence);
  const tokens = load<i32>(sequence, 4);
  const keys = load<i32>(sequence, 8);
  const hidden = planHidden();
  const size = hidden / planHeads();
  const feature = (item % planHeads()) * size;
  const qkv = planQkv() + feature * ROW;
  const stride = ((planMaxKeys() + 7) & ~7) << 2;
  const scores = attentionScratch();
  const queries = scores + (planMaxKeys() + 8) * 32;
  const packedKeys = queries + size * 32;
  const packedValues = packedKeys + size * stride;
  // Four features of all keys.
  const four = ((keys + 3) & ~3) << 4;
  copyKeys(qkv + hidden * ROW, first, keys, size, packedKeys);
  copyValues(qkv + 2 * hidden * ROW, first, keys, size, packedValues, four);
  const factor = f32x4.splat(planQueryScale());
  for (let token = 0; token < tokens; token += 8) {
    // The second vector is the first again where there is no second: computed, not stored.
    const pair = token + 4 < tokens;
    const q0 = laneAt(qkv, 3 * hidden, first + token);
    const q1 = pair ? laneAt(qkv, 3 * hidden, first + token + 4) : q0;
    for (let i = 0; i < size; i++) {
      v128.store(queries + (i << 5), f32x4.mul(v128.load(q0 + i * ROW), factor));
      v128.store(queries + (i << 5), f32x4.mul(v128.load(q1 + i * ROW), factor), 16);
    }
    for (let k = 0; k < keys; k += 4) scoreFloat(queries, packedKeys + k * (size << 2), size, scores + (k << 5));
    exponentials(scores, keys);
    const c0 = laneAt(planContext() + feature * ROW, hidden, first + token);
    const c1 = pair ? laneAt(planContext() + feature * ROW, hidden, first + token + 4) : c0;
    for (let i = 0, v = packedValues; i < size; i += 4) {
      mixFloat(scores, keys, v, min(4, size - i), c0 + i * ROW, c1 + i * ROW);
      v += four;
    }
  }
}

/** shapes: f32[size][32] from lane `first` on -> f32[keys / 4][size][4] */
function copyKeys(buffer: i32, first: i32, keys: i32, size: i32, to: i32): void {
  const features = 3 * planHidden();
  for (let k = 0; k < keys; k += 4) {
    let p = laneAt(buffer, features, first + k);
    for (const end = p + size * ROW; p < end; p += ROW) {
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
      const b = i + 1 < size ? v128.load(p, ROW) : a;
      const c = i + 2 < size ? v128.load(p, 2 * ROW) : a;
      const d = i + 3 < size ? v128.load(p, 3 * ROW) : a;
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(q, v128.shuffle<i64>(ab0, cd0, 0, 2));
      v128.store(q, v128.shuffle<i64>(ab0, cd0, 1, 3), 16);
      v128.store(q, v128.shuffle<i64>(ab1, cd1, 0, 2), 32);
      v128.store(q, v128.shuffle<i64>(ab1, cd1, 1, 3), 48);
      p += 4 * ROW;
      q += four;
    }
  }
}

/** Four keys' scores. shapes: queries f32[size][8], keys f32[size][4] -> scores f32[4][8] */
function scoreFloat(queries: i32, keys: i32, size: i32, scores: i32): void {
  let a0 = f32x4.splat(0);
  let a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  for (const end = queries + (size << 5); queries < end; queries += 32) {
    const q0 = v128.load(queries);
    const q1 = v128.load(queries, 16);
    const ka = v128.load_splat<u32>(keys);
    a0 = f32x4.add(a0, f32x4.mul(q0, ka));
    a1 = f32x4.add(a1, f32x4.mul(q1, ka));
    const kb = v128.load_splat<u32>(keys, 4);
    b0 = f32x4.add(b0, f32x4.mul(q0, kb));
    b1 = f32x4.add(b1, f32x4.mul(q1, kb));
    const kc = v128.load_splat<u32>(keys, 8);
    c0 = f32x4.add(c0, f32x4.mul(q0, kc));
    c1 = f32x4.add(c1, f32x4.mul(q1, kc));
    const kd = v128.load_splat<u32>(keys, 12);
    d0 = f32x4.add(d0, f32x4.mul(q0, kd));
    d1 = f32x4.add(d1, f32x4.mul(q1, kd));
    keys += 16;
  }
  v128.store(scores, a0);
  v128.store(scores, a1, 16);
  v128.store(scores, b0, 32);
  v128.store(scores, b1, 48);
  v128.store(scores, c0, 64);
  v128.store(scores, c1, 80);
  v128.store(scores, d0, 96);
  v128.store(scores, d1, 112);
}

/** Scores to e^(score - max); their sums follow the last. shapes: scores f32[keys][8] -> f32[keys + 1][8] */
export function exponentials(scores: i32, keys: i32): void {
  const end = scores + (keys << 5);
  let max0 = v128.load(scores);
  let max1 = v128.load(scores, 16);
  for (let p = scores; p < end; p += 32) {
    max0 = f32x4.pmax(max0, v128.load(p));
    max1 = f32x4.pmax(max1, v128.load(p, 16));
  }
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  for (let p = scores; p < end; p += 32) {
    const e0 = expOfNegative(f32x4.sub(v128.load(p), max0));
    const e1 = expOfNegative(f32x4.sub(v128.load(p, 16), max1));
    sum0 = f32x4.add(sum0, e0);
    sum1 = f32x4.add(sum1, e1);
    v128.store(p, e0);
    v128.store(p, e1, 16);
  }
  v128.store(end, sum0);
  v128.store(end, sum1, 16);
}

/** Four features of the context, of which `count` are wanted. shapes: p f32[keys + 1][8], the sums last, values f32[keys][4] */
function mixFloat(p: i32, keys: i32, values: i32, count: i32, to0: i32, to1: i32): void {
  let a0 = f32x4.splat(0);
  let a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  for (const end = p + (keys << 5); p < end; p += 32) {
    const p0 = v128.load(p);
    const p1 = v128.load(p, 16);
    const va = v128.load_splat<u32>(values);
    a0 = f32x4.add(a0, f32x4.mul(p0, va));
    a1 = f32x4.add(a1, f32x4.mul(p1, va));
    const vb = v128.load_splat<u32>(values, 4);
    b0 = f32x4.add(b0, f32x4.mul(p0, vb));
    b1 = f32x4.add(b1, f32x4.mul(p1, vb));
    const vc = v128.load_splat<u32>(values, 8);
    c0 = f32x4.add(c0, f32x4.mul(p0, vc));
    c1 = f32x4.add(c1, f32x4.mul(p1, vc));
    const vd = v128.load_splat<u32>(values, 12);
    d0 = f32x4.add(d0, f32x4.mul(p0, vd));
    d1 = f32x4.add(d1, f32x4.mul(p1, vd));
    values += 16;
  }
  const sum0 = v128.load(p), sum1 = v128.load(p, 16);
  keep(f32x4.div(a0, sum0), f32x4.div(a1, sum1), to0, to1);
  if (count > 1) keep(f32x4.div(b0, sum0), f32x4.div(b1, sum1), to0 + ROW, to1 + ROW);
  if (count > 2) keep(f32x4.div(c0, sum0), f32x4.div(c1, sum1), to0 + 2 * ROW, to1 + 2 * ROW);
  if (count > 3) keep(f32x4.div(d0, sum0), f32x4.div(d1, sum1), to0 + 3 * ROW, to1 + 3 * ROW);
}

/** Stores a feature's context for eight queries (twice the same four where `to1` is `to0`) and keeps its range. */
@inline export function keep(y0: v128, y1: v128, to0: i32, to1: i32): void {
  v128.store(to1, y1);
  v128.store(to0, y0);
  setRange(
    i32x4.max_s(i32x4.max_s(rangeHigh(), y0), y1),
    i32x4.max_u(i32x4.max_u(rangeLow(), y0), y1),
  );
}
