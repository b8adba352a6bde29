import { LANES, planHidden, planHiddenStates, planIo, planLanes, planTokenMap, ROW_BYTES } from './generated/layout';
import { rangeHigh, rangeLow, setRange } from './range';

// The caller's arrays are [tokens][hidden]; lane l of the tiles is token map[l] (a repeated one in the lanes that only fill up).

/** One tile of the input, its range kept if `ranged`. shapes: io f32[tokens][hidden] -> hidden f32[hidden][32] */
export function loadTile(tile: i32, ranged: bool): void {
  const hidden = planHidden();
  const lanes = min(LANES, planLanes() - tile * LANES);
  let high = rangeHigh(0);
  let low = rangeLow(0);
  for (let lane = 0; lane < lanes; lane += 4) {
    const map = planTokenMap() + ((tile * LANES + lane) << 2);
    let a = rowOf(planIo(), hidden, map), b = rowOf(planIo(), hidden, map + 4);
    let c = rowOf(planIo(), hidden, map + 8), d = rowOf(planIo(), hidden, map + 12);
    let to = planHiddenStates() + tile * hidden * ROW_BYTES + (lane << 2);
    let i = 0;
    for (; i + 4 <= hidden; i += 4) {
      const ra = v128.load(a), rb = v128.load(b), rc = v128.load(c), rd = v128.load(d);
      const ab0 = v128.shuffle<i32>(ra, rb, 0, 4, 1, 5), ab1 = v128.shuffle<i32>(ra, rb, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(rc, rd, 0, 4, 1, 5), cd1 = v128.shuffle<i32>(rc, rd, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(ab0, cd0, 0, 2));
      v128.store(to, v128.shuffle<i64>(ab0, cd0, 1, 3), ROW_BYTES);
      v128.store(to, v128.shuffle<i64>(ab1, cd1, 0, 2), 2 * ROW_BYTES);
      v128.store(to, v128.shuffle<i64>(ab1, cd1, 1, 3), 3 * ROW_BYTES);
      high = i32x4.max_s(i32x4.max_s(high, ra), i32x4.max_s(i32x4.max_s(rb, rc), rd));
      low = i32x4.max_u(i32x4.max_u(low, ra), i32x4.max_u(i32x4.max_u(rb, rc), rd));
      a += 16;
      b += 16;
      c += 16;
      d += 16;
      to += 4 * ROW_BYTES;
    }
    for (; i < hidden; i++) {
      const column = f32x4(load<f32>(a), load<f32>(b), load<f32>(c), load<f32>(d));
      v128.store(to, column);
      high = i32x4.max_s(high, column);
      low = i32x4.max_u(low, column);
      a += 4;
      b += 4;
      c += 4;
      d += 4;
      to += ROW_BYTES;
    }
  }
  if (ranged) setRange(high, rangeHigh(1), low, rangeLow(1));
}

/** One tile of the output, as much of it as holds tokens. shapes: from f32[features][32] -> to f32[tokens][features] */
export function storeTile(tile: i32, from: i32, features: i32, to: i32): void {
  const lanes = min(LANES, planLanes() - tile * LANES);
  for (let lane = 0; lane < lanes; lane += 4) {
    const map = planTokenMap() + ((tile * LANES + lane) << 2);
    let a = rowOf(to, features, map), b = rowOf(to, features, map + 4);
    let c = rowOf(to, features, map + 8), d = rowOf(to, features, map + 12);
    let p = from + (lane << 2);
    let i = 0;
    for (; i + 4 <= features; i += 4) {
      const ra = v128.load(p), rb = v128.load(p, ROW_BYTES), rc = v128.load(p, 2 * ROW_BYTES), rd = v128.load(p, 3 * ROW_BYTES);
      const ab0 = v128.shuffle<i32>(ra, rb, 0, 4, 1, 5), ab1 = v128.shuffle<i32>(ra, rb, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(rc, rd, 0, 4, 1, 5), cd1 = v128.shuffle<i32>(rc, rd, 2, 6, 3, 7);
      v128.store(a, v128.shuffle<i64>(ab0, cd0, 0, 2));
      v128.store(b, v128.shuffle<i64>(ab0, cd0, 1, 3));
      v128.store(c, v128.shuffle<i64>(ab1, cd1, 0, 2));
      v128.store(d, v128.shuffle<i64>(ab1, cd1, 1, 3));
      a += 16;
      b += 16;
      c += 16;
      d += 16;
      p += 4 * ROW_BYTES;
    }
    for (; i < features; i++) {
      store<f32>(a, load<f32>(p));
      store<f32>(b, load<f32>(p, 4));
      store<f32>(c, load<f32>(p, 8));
      store<f32>(d, load<f32>(p, 12));
      a += 4;
      b += 4;
      c += 4;
      d += 4;
      p += ROW_BYTES;
    }
  }
}

@inline function rowOf(array: i32, features: i32, map: i32): i32 { return array + load<i32>(map) * (features << 2); }
