import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createEngine, type EngineOptions, type KernelModules } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { kernelFiles } from '../src/wasm/kernel-files.js';
import { noRelaxedSimd } from './kernels.js';
import { normals, random, randomLayers } from './random-encoder.js';

const files = kernelFiles();
const compile = (name: string) => new WebAssembly.Module(files.get(name)! as Uint8Array<ArrayBuffer>);
const simd = compile('simd.wasm');

/** An engine on these options, what it says, and the bits of one pass. */
async function pass(options: EngineOptions) {
  const engine = await createEngine({ threadHost: workerThreads, ...options });
  const encoder = await engine.loadEncoder({
    layers: randomLayers(random(1), 2, 16, 32, { density: 0.5 }),
    heads: 2,
    activation: 'gelu',
    layerNormEps: 1e-12,
    profile: 'fbgemm',
  });
  const { last } = await encoder.forward(normals(random(2), 40 * 16), [40]);
  await engine.close();
  return { engine, bits: [...new Uint32Array(last.buffer)] };
}

test('bytes that the caller gives: asked for when they are needed, for any memory; the same bits', async () => {
  const { bits } = await pass({ kernels: 'reference' });
  const asked: string[] = [];
  const wasm = async (kernels: string) => {
    asked.push(kernels);
    return files.get(`${kernels.replace('wasm-', '')}.wasm`)!;
  };
  const auto = await pass({ wasm, threads: 2 });
  expect(auto.bits).toEqual(bits);
  expect(auto.engine.threads).toBe(2);
  expect(asked).toEqual(noRelaxedSimd ? ['wasm-relaxed', 'wasm-simd'] : ['wasm-relaxed']);
  expect((await pass({ wasm, kernels: 'wasm-simd' })).bits).toEqual(bits);
  const other = files.get('simd.wasm')!.slice();
  other[other.length - 1] ^= 1;
  await expect(createEngine({ wasm: async () => other })).rejects.toMatchObject({ code: 'mismatch' });
  const offline = () => Promise.reject(new TypeError('offline'));
  const error = { code: 'io', what: expect.stringContaining('offline') };
  await expect(createEngine({ wasm: offline })).rejects.toMatchObject(error);
  await expect(createEngine({ wasm: async () => new Uint8Array(9) })).rejects.toMatchObject({ code: 'io' });
});

/** As an edge runtime, or a page without 'wasm-unsafe-eval'. */
function forbidCompiling(): void {
  vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('disallowed by embedder'));
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('the files: one for each kernels and kind of memory', () => {
  expect([...files.keys()]).toEqual(
    ['simd', 'relaxed', 'wide'].flatMap((name) => [`${name}.wasm`, `${name}-threads.wasm`]),
  );
});

test('auto chooses among the modules given, where nothing can be compiled from bytes; the same bits', async () => {
  const { bits } = await pass({ kernels: 'reference' });
  forbidCompiling();
  const modules = { 'wasm-simd': simd, 'wasm-relaxed': undefined };
  const one = await pass({ modules });
  expect(one.bits).toEqual(bits);
  expect(one.engine).toMatchObject({ kernels: 'wasm-simd', kernelsNote: expect.stringContaining('no wasm-relaxed') });
  const named = await pass({ modules, kernels: 'wasm-simd' });
  expect([named.engine.kernels, named.engine.kernelsNote, named.bits]).toEqual(['wasm-simd', undefined, bits]);
});

test.skipIf(noRelaxedSimd)('relaxed SIMD is the first choice among the modules', async () => {
  const { engine } = await pass({ modules: { 'wasm-simd': simd, 'wasm-relaxed': compile('relaxed.wasm') } });
  expect([engine.kernels, engine.kernelsNote]).toEqual(['wasm-relaxed', undefined]);
});

test('threads share a module whose memory is shared, one thread takes it too, and the other kind says why not', async () => {
  const { bits } = await pass({ kernels: 'reference' });
  forbidCompiling();
  const shared = { 'wasm-simd': compile('simd-threads.wasm') };
  const two = await pass({ modules: shared, threads: 2 });
  expect([two.engine.threads, two.engine.threadsNote, two.bits]).toEqual([2, undefined, bits]);
  const one = await pass({ modules: shared });
  expect([one.engine.threads, one.bits]).toEqual([1, bits]);
  const alone = await pass({ modules: { 'wasm-simd': simd }, threads: 2 });
  expect([alone.engine.threads, alone.bits]).toEqual([1, bits]);
  expect(alone.engine.threadsNote).toContain('simd-threads.wasm');
});

test('where compiling is forbidden, the reference computes and says what to do', async () => {
  const { bits } = await pass({ kernels: 'wasm-simd' });
  forbidCompiling();
  const { engine, bits: slow } = await pass({});
  expect(slow).toEqual(bits);
  expect(engine).toMatchObject({ kernels: 'reference', kernelsNote: expect.stringMatching(/^[A-Z].*\.$/) });
  expect(engine.kernelsNote).toMatch(/may not be compiled.*'wasm-unsafe-eval'.*`modules`/);
  await expect(createEngine({ kernels: 'wasm-simd' })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/may not be compiled.*'wasm-unsafe-eval'.*`modules`/),
    cause: expect.any(WebAssembly.CompileError),
  });
  expect((await pass({ kernels: 'reference' })).engine.kernelsNote).toBeUndefined();
});

test('a JavaScript engine without WebAssembly', async () => {
  vi.stubGlobal('WebAssembly', undefined);
  expect((await pass({})).engine).toMatchObject({
    kernels: 'reference',
    kernelsNote: expect.stringContaining('there is no WebAssembly'),
  });
});

test.each([
  ['not a module', { 'wasm-simd': files.get('simd.wasm') }, 'auto', 'invalid-argument', 'Uint8Array'],
  ['an unknown name', { 'wasm-fast': simd }, 'auto', 'invalid-argument', 'wasm-fast'],
  ['other kernels', { 'wasm-relaxed': simd }, 'auto', 'mismatch', 'relaxed.wasm'],
  [
    'another module',
    { 'wasm-simd': new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) },
    'auto',
    'mismatch',
    'simd.wasm',
  ],
  ['kernels that were not given', { 'wasm-simd': simd }, 'wasm-relaxed', 'invalid-argument', 'wasm-relaxed'],
  ['none at all', {}, 'wasm-simd', 'invalid-argument', 'no module'],
] as const)('modules that are refused: %s', async (_, modules, kernels, code, said) => {
  await expect(createEngine({ modules: modules as KernelModules, kernels })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(said),
  });
});

test('a memory whose maximum is refused gets a smaller one', async () => {
  const { bits } = await pass({ kernels: 'wasm-simd' });
  const { Memory } = WebAssembly;
  const maximums: number[] = [];
  class RefusedMemory extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      // Probing takes a memory of its own, which is let go of before.
      if (descriptor.initial === 1) {
        maximums.push(descriptor.maximum!);
        if (descriptor.maximum! > 4096) throw new RangeError('could not allocate memory');
      }
      super(descriptor);
    }
  }
  WebAssembly.Memory = RefusedMemory;
  onTestFinished(() => {
    WebAssembly.Memory = Memory;
  });
  expect((await pass({ kernels: 'wasm-simd' })).bits).toEqual(bits);
  expect(maximums).toEqual([32767, 16384, 8192, 4096]);
});
