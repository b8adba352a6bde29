import { describe, expect, it } from 'vitest';
import type { Summary } from '../../harness/summary.js';
import type { InferRow } from '../infer/infer-report.js';
import { ONNXRUNTIME_INT8, OURS, OURS_INT16, withKernels } from '../infer/side-names.js';
import { goalRows } from './goal-rows.js';
import { GOALS } from './goals.js';
import type { SpeedReport } from './speed-report.js';

const EMPTY: SpeedReport = { kernels: {}, agreement: [], cells: [], own: [], small: [], densities: [], first: [] };

const summary = (median: number): Summary => ({
  median,
  quartiles: [median, median],
  min: median,
  max: median,
  samples: 5,
});

/** A row of onnxruntime, against which ours is so many times as fast. */
const peer = (batch: number, tokens: number, threads: number, float32: number, int16 = float32): InferRow => ({
  model: 'm',
  tokens,
  batch,
  threads,
  side: ONNXRUNTIME_INT8,
  seconds: { ...summary(1), p95: 1, p99: 1 },
  throughput: tokens,
  oursTimesFaster: { [OURS]: summary(float32), [OURS_INT16]: summary(int16) },
});

const brief = (report: Partial<SpeedReport>) =>
  goalRows({ ...EMPTY, ...report }).map(({ what, side, wanted, reached, met }) => [what, side, wanted, reached, met]);

describe('goalRows', () => {
  it('nothing measured, no goal', () => expect(goalRows(EMPTY)).toEqual([]));

  it('a size of work has a goal for each attention, and is not taken for another', () => {
    expect(brief({ cells: [peer(1, 128, 2, 4, 4.4), peer(1, 64, 1, 9), peer(8, 384, 1, 9)] })).toEqual([
      ['1 x 128 tokens, 2 threads', OURS, 4, 4, true],
      ['1 x 128 tokens, 2 threads', OURS_INT16, 4.5, 4.4, false],
    ]);
    expect(
      brief({ cells: GOALS.cells.map(({ batch, tokens, threads }) => peer(batch, tokens, threads, 9)) }),
    ).toHaveLength(8);
  });

  it('a density, or that ours is faster or slower at every one', () => {
    const sweep = (side: string, crossover: number | null, ...ratios: number[]) => ({
      side,
      tokens: 128,
      threads: 1,
      peer: ONNXRUNTIME_INT8,
      rows: ratios.map((seconds, i) => ({ density: 0.5 + 0.1 * i, seconds, peerSeconds: 1 })),
      crossover,
    });
    const rows = (...densities: SpeedReport['densities'][number][]) =>
      goalRows({ ...EMPTY, densities }).map(({ side, reached, beyond, met }) => [side, reached, beyond, met]);
    expect(rows(sweep(OURS, 0.44, 0.9, 1.1), sweep(OURS_INT16, 0.46, 0.9, 1.1))).toEqual([
      [OURS, 0.44, undefined, false],
      [OURS_INT16, 0.46, undefined, true],
    ]);
    expect(rows(sweep(OURS, null, 0.5, 1))).toEqual([[OURS, 0.6, 'above', true]]);
    expect(rows(sweep(OURS, null, 1.5, 2))).toEqual([[OURS, 0.5, 'below', false]]);
    expect(rows(sweep(withKernels(OURS, 'wasm-relaxed'), 0.2, 0.5, 2))).toEqual([]);
  });

  it('plain AVX2 is forced, or is what was chosen', () => {
    const wide = withKernels(OURS, 'wasm-wide');
    const avx2 = withKernels(OURS, 'native-avx2');
    const own = [
      { slower: wide, faster: OURS, times: summary(2.5) },
      { slower: wide, faster: avx2, times: summary(1.25) },
    ];
    expect(
      brief({ own, kernels: { [OURS]: 'native-avx512' } }).map(([, side, , reached, met]) => [side, reached, met]),
    ).toEqual([
      [OURS, 2.5, true],
      [avx2, 1.25, false],
    ]);
    expect(
      brief({ own: own.slice(0, 1), kernels: { [OURS]: 'native-avx2' } }).map(([, side, wanted]) => [side, wanted]),
    ).toEqual([
      [OURS, 2],
      [OURS, 1.3],
    ]);
  });

  it('the least size of work of the small model decides', () => {
    const [row] = goalRows({ ...EMPTY, small: [peer(1, 16, 1, 1.9), peer(8, 64, 2, 1.4), peer(8, 64, 1, 3)] });
    expect([row.what, row.at, row.reached, row.met]).toEqual([
      'm, the least of 3 sizes of work',
      '8 x 64 tokens, 2 threads',
      1.4,
      false,
    ]);
  });

  it('the first answer', () => {
    const row = { model: 'm', side: ONNXRUNTIME_INT8, seconds: summary(1), peakBytes: summary(1) };
    expect(brief({ first: [{ ...row, oursTimesFaster: { [OURS]: summary(1.1) } }] })).toEqual([
      ['from the file to the first answer', OURS, 1.1, 1.1, true],
    ]);
    expect(brief({ first: [row] })).toEqual([]);
  });
});
