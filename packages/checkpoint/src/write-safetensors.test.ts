import { DEFAULT_LIMITS, DTYPES, type Dtype, memorySink, type Tensor, tensor, tensorFromBytes } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSafetensors } from './open-safetensors.js';
import { writeSafetensors } from './write-safetensors.js';

async function written(stateDict: Map<string, Tensor>): Promise<Uint8Array> {
  const sink = memorySink();
  await writeSafetensors(sink, stateDict);
  return sink.bytes();
}

test('no tensors', async () => {
  const bytes = await written(new Map());
  expect(new TextDecoder().decode(bytes.subarray(8)).trimEnd()).toBe('{"__metadata__":{"format":"pt"}}');
  expect(bytes.length % 8).toBe(0);
  expect([...(await openSafetensors(bytes)).keys()]).toEqual([]);
});

test('any state dict comes back: names, order, dtypes, shapes, bits; each tensor aligned to its element', async () => {
  const anyTensor = fc
    .tuple(
      fc.constantFrom(...(Object.keys(DTYPES) as Dtype[])),
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
      fc.nat(255),
    )
    .map(([dtype, shape, fill]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return tensorFromBytes(dtype, shape, new Uint8Array(count * DTYPES[dtype].bytes).fill(fill));
    });
  const name = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', '2', '1', 'a"b\\'));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(
        fc.tuple(
          name.filter((n) => n !== '__metadata__'),
          anyTensor,
        ),
        { selector: ([n]) => n, maxLength: 12 },
      ),
      async (entries) => {
        const bytes = await written(new Map(entries));
        const dataStart = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
        expect(dataStart % 8).toBe(0);
        const checkpoint = await openSafetensors(bytes);
        expect([...checkpoint.keys()]).toEqual(entries.map(([n]) => n));
        for (const [n, wanted] of entries) {
          const got = await checkpoint.get(n);
          expect([got!.dtype, got!.shape]).toEqual([wanted.dtype, wanted.shape]);
          expect(new Uint8Array(got!.data.buffer, got!.data.byteOffset, got!.data.byteLength)).toEqual(
            new Uint8Array(wanted.data.buffer, wanted.data.byteOffset, wanted.data.byteLength),
          );
          // tensorFromBytes copies what is not aligned: a view of the file shows that it was.
          if (got!.data.length > 0) expect(got!.data.buffer).toBe(bytes.buffer);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('what fails aborts the sink: a name without a tensor, a forbidden name, a signal, a limit', async () => {
  const one = tensor('float32', [1], Float32Array.of(1));
  const run = async (stateDict: Parameters<typeof writeSafetensors>[1], options = {}) => {
    let aborts = 0;
    let commits = 0;
    const sink = { ...memorySink(), abort: async () => void aborts++, commit: async () => void commits++ };
    const error = await writeSafetensors(sink, stateDict, options).catch((error) => error);
    expect([aborts, commits]).toEqual([1, 0]);
    return error;
  };
  expect(await run({ keys: () => ['a'], get: () => undefined })).toMatchObject({ code: 'missing', tensor: 'a' });
  expect(await run(new Map([['__metadata__', one]]))).toMatchObject({ code: 'invalid-argument' });
  expect(await run(new Map([['a', one]]), { signal: AbortSignal.abort() })).toMatchObject({ code: 'aborted' });
  const limits = { ...DEFAULT_LIMITS, tensors: 1 };
  expect(
    await run(
      new Map([
        ['a', one],
        ['b', one],
      ]),
      { limits },
    ),
  ).toMatchObject({ code: 'limit' });
});
