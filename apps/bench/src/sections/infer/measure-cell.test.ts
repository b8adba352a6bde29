import { expect, it } from 'vitest';
import type { ForkedSide } from './fork-side.js';
import { measureCell } from './measure-cell.js';
import type { Work } from './side.js';
import { ONNXRUNTIME_INT8, OURS } from './side-names.js';

const options = { rounds: 5, seconds: 60 };

/** A side whose pass takes so many seconds, and what it was asked. */
function side(name: string, seconds: number): ForkedSide & { readonly asked: [Work, number][] } {
  const asked: [Work, number][] = [];
  return {
    name,
    asked,
    ready: { loadSeconds: 0 },
    logits: async () => [],
    async time(work, runs) {
      asked.push([work, runs]);
      return Array.from({ length: runs }, () => seconds);
    },
    close: async () => {},
  };
}

it('no side', async () => {
  const { rows, times } = await measureCell('m', { batch: 1, tokens: 8 }, 1, [], options);
  expect(rows).toEqual([]);
  expect(times(ONNXRUNTIME_INT8, OURS)).toBeUndefined();
});

it('peers are held against each side of ours, and any two sides can be', async () => {
  const sides = [side(OURS, 0.5), side(`${OURS}, wasm-wide`, 1), side(ONNXRUNTIME_INT8, 2)];
  const { rows, times } = await measureCell('m', { batch: 2, tokens: 8 }, 1, sides, options);
  expect(rows.map(({ seconds, throughput }) => [seconds.median, throughput])).toEqual([
    [0.5, 32],
    [1, 16],
    [2, 8],
  ]);
  expect(
    rows.map(({ oursTimesFaster }) => oursTimesFaster && Object.values(oursTimesFaster).map((one) => one.median)),
  ).toEqual([undefined, undefined, [4, 2]]);
  expect(times(`${OURS}, wasm-wide`, OURS)?.median).toBe(2);
});

it('long passes are timed once a round, and WebAssembly of the peer is spared the longest', async () => {
  const [ours, web] = [side(OURS, 1), side('onnxruntime-web, int8', 1)];
  const short = await measureCell('m', { batch: 1, tokens: 383 }, 1, [ours, web], options);
  expect(short.rows).toHaveLength(2);
  expect(ours.asked.every(([, runs]) => runs === 3)).toBe(true);
  ours.asked.length = 0;
  const long = await measureCell('m', { batch: 8, tokens: 65 }, 1, [ours, web], options);
  expect(long.rows.map((row) => row.side)).toEqual([OURS]);
  expect(ours.asked.every(([, runs]) => runs === 1)).toBe(true);
});
