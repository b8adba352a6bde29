import type { BinaryDecoder, BinaryEncoder } from './binary-coder.js';
import { BitContexts } from './binary-coder.js';
import { corrupt } from './corrupt.js';
import { SCALE } from './gap-tables.js';
import { codeNumber, NUMBER_CONTEXTS, readNumber } from './numbers.js';

/**
 * How often each magnitude 1 .. 128 occurs, said roughly: as levels, the count being 3 x level^2. A count n is known from the data
 * only to about sqrt(n), and a step of 3.5 sqrt(n) is about where a finer table costs as much as it gives (2, 3 and 4.5 differ by 0.01 % of the stream).
 */
export function magnitudeLevels(counts: Int32Array): Uint16Array {
  return Uint16Array.from(counts, (count) => {
    if (count === 0) return 0;
    let level = 1;
    while (3 * level * (level + 1) < count) level++;
    return Math.min(level, 65535);
  });
}

/** What a level stands for: its square. */
export function weightsOf(levels: Uint16Array): Float64Array {
  // A loop, because `from` calls a function for each level, and a model has hundreds of tables.
  const weights = new Float64Array(levels.length);
  for (let i = 0; i < levels.length; i++) weights[i] = levels[i] * levels[i];
  return weights;
}

/** Frequencies that sum to `scale`, in proportion to the weights, at least 1 for a weight above 0. What rounding leaves goes to the heaviest. */
export function frequencies(weights: Float64Array, scale = SCALE): Uint16Array {
  let total = 0;
  for (const weight of weights) total += weight;
  const out = new Uint16Array(weights.length);
  if (total === 0) return out;
  let used = 0;
  let top = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] > weights[top]) top = i;
    if (weights[i] === 0) continue;
    out[i] = Math.max(1, Math.floor((weights[i] / total) * scale + 0.5));
    used += out[i];
  }
  // The heaviest gives at most half of what it has, then the next in order: with at most scale / 4 symbols there is enough to give.
  for (let i = top; used !== scale; i = (i + 1) % weights.length) {
    if (weights[i] === 0) continue;
    const change = used > scale ? -Math.min(used - scale, out[i] >> 1) : scale - used;
    out[i] += change;
    used += change;
  }
  return out;
}

const KINDS = 3;

export function writeLevels(coder: BinaryEncoder, levels: Uint16Array): void {
  const contexts = new BitContexts(KINDS * NUMBER_CONTEXTS);
  let before = 0;
  let change = 0;
  for (const level of levels) {
    const delta = level - before;
    codeNumber(coder, contexts, kindOf(change) * NUMBER_CONTEXTS, delta > 0 ? 2 * delta - 1 : -2 * delta);
    change = delta;
    before = level;
  }
}

export function readLevels(coder: BinaryDecoder, count: number): Uint16Array {
  const contexts = new BitContexts(KINDS * NUMBER_CONTEXTS);
  const levels = new Uint16Array(count);
  let before = 0;
  let change = 0;
  for (let i = 0; i < count; i++) {
    const coded = readNumber(coder, contexts, kindOf(change) * NUMBER_CONTEXTS);
    const delta = coded % 2 === 1 ? (coded + 1) / 2 : -coded / 2;
    before += delta;
    if (before < 0 || before > 65535) throw corrupt('magnitude level out of range', before, '0 to 65535');
    levels[i] = before;
    change = delta;
  }
  return levels;
}

function kindOf(change: number): number {
  return change === 0 ? 0 : change === 1 || change === -1 ? 1 : 2;
}
