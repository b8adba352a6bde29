import { createEngine } from '@prune/kernels';
import { describe, expect, test } from 'vitest';
import { asynchronousOn } from '../../kernels/test/asynchronous-suite.js';
import { closes, closesMeanwhileOn, spec } from '../../kernels/test/close-suite.js';
import { normals, random } from '../../kernels/test/random-encoder.js';
import { createNativeEngine } from '../src/index.js';
import { noNative, testedKernels } from './native-addons.js';

// So that the addon is that of the sources.
testedKernels();

describe.skipIf(noNative).each([1, 3])('x %d', (threads) => {
  const create = () => createNativeEngine({ threads });
  asynchronousOn(create);
  closesMeanwhileOn(create);
  test('calls during and after close are refused, closing again is fine', async () =>
    closes([['native', await create()]]));
});

test.skipIf(noNative)('the event loop goes on while a long pass computes', async () => {
  const engine = await createNativeEngine();
  const layers = Array.from({ length: 60 }, () => spec.layers[0]);
  const encoder = await engine.loadEncoder({ ...spec, layers });
  const tokens = 4000;
  const hidden = normals(random(4), tokens * encoder.hiddenSize);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await encoder.forward(hidden, [tokens]);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(3);
  await engine.close();
});

test.each([
  [{ threads: 0 }, 'invalid-argument'],
  [{ threads: 17 }, 'invalid-argument'],
  [{ kernels: 'native-mmx' }, 'invalid-argument'],
  [{ kernels: process.arch === 'arm64' ? 'native-avx2' : 'native-neon' }, 'unsupported'],
])('options that are refused: %o', async (options, code) => {
  await expect(createNativeEngine(options as object)).rejects.toMatchObject({ code });
});

test.skipIf(noNative)('createEngine takes the best of this processor, or those that are asked for', async () => {
  const native = { create: createNativeEngine };
  const engine = await createEngine({ native });
  expect(engine).toMatchObject({ kernels: expect.stringMatching(/^native-/), threads: 1 });
  expect((await createEngine({ native, kernels: engine.kernels })).kernels).toBe(engine.kernels);
});
