import { describe } from 'vitest';
import { createEngine, type Kernels } from '../src/index.js';
import { onnxruntimeOn } from './golden-onnxruntime-suite.js';
import { EVERYWHERE, enginesOn, noRelaxedSimd, RELAXED } from './kernels.js';

describe.each(['reference' as const, ...EVERYWHERE])('onnxruntime on %s', goldensOn);
describe.skipIf(noRelaxedSimd).each(RELAXED)('onnxruntime on %s', goldensOn);

function goldensOn(kernels: Kernels | 'auto') {
  onnxruntimeOn(async () =>
    kernels === 'reference' ? [[kernels, await createEngine({ kernels })]] : enginesOn(kernels),
  );
}
