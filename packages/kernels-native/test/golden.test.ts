import { describe } from 'vitest';
import { goldenModelsOn } from '../../kernels/test/golden-models-suite.js';
import { onnxruntimeOn } from '../../kernels/test/golden-onnxruntime-suite.js';
import { linearAloneOn } from '../../kernels/test/linear-suite.js';
import { engineOf, noNative, testedKernels } from './native-addons.js';

const tested = testedKernels();

describe.skipIf(noNative).each(tested)('$name', (kernels) => {
  goldenModelsOn(async () => engineOf(kernels));
  onnxruntimeOn(async () => [[kernels.name, engineOf(kernels)]]);
  linearAloneOn(async () => engineOf(kernels));
});
