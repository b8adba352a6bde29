import { expect, it } from 'vitest';
import type { ForkedSide } from './fork-side.js';
import { proveAgreement } from './prove-agreement.js';
import { OPENVINO, OURS, OURS_INT16, PYTORCH } from './side-names.js';

const side = (name: string, ...logits: number[]): ForkedSide => ({
  name,
  ready: { loadSeconds: 0 },
  logits: async () => logits,
  time: async () => [],
  close: async () => {},
});
const prove = (...sides: ForkedSide[]) => proveAgreement('m', { packed: 'm.prune' }, sides);

it('nothing to compare', async () => {
  expect(await prove()).toEqual([]);
  expect(await prove(side(OURS, 1, 2), side(OURS_INT16, 1, 3))).toEqual([]);
});

it('ours in other kernels: the same bits, each in its own mode of attention', async () => {
  const ours = [side(OURS, 1, -2), side(OURS_INT16, 1, -3)];
  const found = await prove(...ours, side(`${OURS}, wasm-wide`, 1, -2), side(`${OURS_INT16}, wasm-wide`, 1, -3));
  expect(
    found.map(({ against, largestDifference, largestLogit }) => [against, largestDifference, largestLogit]),
  ).toEqual([
    [OURS, 0, 2],
    [OURS_INT16, 0, 3],
  ]);
  await expect(prove(...ours, side(`${OURS}, native-avx2`, 1, -2.000001))).rejects.toMatchObject({ code: 'mismatch' });
});

it('runtimes of Python: close, not equal', async () => {
  const found = await prove(side(OURS, 10, -2), side(PYTORCH, 11, -2), side(OPENVINO, 10, -4.5));
  expect(found.map(({ largestDifference }) => largestDifference)).toEqual([1, 2.5]);
  await expect(prove(side(OURS, 10, -2), side(PYTORCH, 12, -2))).rejects.toMatchObject({ code: 'mismatch' });
  await expect(prove(side(OURS, 10, -2), side(OPENVINO, Number.NaN, -2))).rejects.toMatchObject({ code: 'mismatch' });
});
