import { SKIP_CONDITIONS } from '@prune/fixtures';
import type { Engine } from '@prune/kernels';
import { afterAll, describe, expect, test } from 'vitest';
import { FEW_MODES, sameBitsOn } from '../../kernels/test/same-bits-suite.js';
import { engineOf, noNative, testedKernels } from './native-addons.js';

const engines: [name: string, engine: Engine][] = testedKernels().flatMap((tested) =>
  // C code in place of vector instructions is slow.
  (tested.name.includes('emulated') ? [1] : [1, 3]).map((threads): [string, Engine] => [
    `${tested.name} x ${threads}`,
    engineOf(tested, threads),
  ]),
);
afterAll(() => Promise.all(engines.map(([, engine]) => engine.close())));

describe('engines under test', () => {
  const names = engines.map(([name]) => name.replace(/ x \d$/, ''));

  test.skipIf(noNative)('what every processor of this kind has, and all others as C code', () => {
    expect(names).toContain(process.arch === 'arm64' ? 'native-neon' : 'native-avx2');
    if (process.arch === 'x64') {
      expect(names).toContain('native-avxvnni, emulated');
      expect(names).toContain('native-avx512, emulated');
    }
  });

  test.skipIf(noNative || SKIP_CONDITIONS['no-vnni']())('the instructions of VNNI', () => {
    expect(names.some((name) => name === 'native-avxvnni' || name === 'native-avx512')).toBe(true);
  });
});

describe.skipIf(noNative)('native kernels', () => {
  sameBitsOn(engines, (name, _engine, mode) => !name.includes('emulated') || FEW_MODES.includes(mode));
});
