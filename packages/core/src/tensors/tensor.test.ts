import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PruneError } from '../errors/prune-error.js';
import { DEFAULT_LIMITS } from '../limits/limits.js';
import { DTYPES, type Dtype, elementCount, isDtype, scalar, tensor, tensorBytes, tensorFromBytes } from './tensor.js';

const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as PruneError).code;
  }
  return 'nothing thrown';
};

test('empty and scalar shapes', () => {
  expect(tensor('float32', [0, 3], new Float32Array(0)).data.length).toBe(0);
  expect(elementCount({ dtype: 'int8', shape: [] })).toBe(1);
  expect(scalar('int64', -3n)).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(-3n) });
});

test('an array that does not fit is refused with what was found and wanted', () => {
  expect(() => tensor('float32', [2, 2], new Float32Array(3), { where: 'f', tensor: 't' })).toThrow(
    new PruneError('mismatch', {
      where: 'f',
      tensor: 't',
      what: 'array does not fit its tensor',
      got: 'Float32Array of 3',
      wanted: 'Float32Array of 4 (float32 [2, 2])',
    }),
  );
  expect(code(() => tensor('int8', [2], new Uint8Array(2) as never))).toBe('mismatch');
});

test('arguments that callers without types leave out or mix up', () => {
  const any = (value: unknown) => value as never;
  for (const call of [
    () => tensor(any([[1, 2]]), [1], any(new Float32Array(1))),
    () => tensor(any('float'), [1], any(new Float32Array(1))),
    () => tensor('float32', any(undefined), new Float32Array(1)),
    () => tensor('float32', any(2), new Float32Array(2)),
    () => tensor('float32', [2], any(undefined)),
    () => scalar(any('float'), any(1)),
    () => scalar(any(1), any(1)),
  ]) {
    expect(code(call)).toBe('invalid-argument');
  }
});

test('absurd shapes are refused before anything is allocated', () => {
  expect(code(() => elementCount({ dtype: 'int8', shape: [-1] }))).toBe('corrupt');
  expect(code(() => elementCount({ dtype: 'int8', shape: [1.5] }))).toBe('corrupt');
  expect(code(() => elementCount({ dtype: 'int8', shape: [Number.NaN] }))).toBe('corrupt');
  expect(code(() => elementCount({ dtype: 'float32', shape: [2 ** 20, 2 ** 20] }))).toBe('limit');
  expect(code(() => elementCount({ dtype: 'float32', shape: new Array(9).fill(1) }))).toBe('limit');
  // Zero elements, but a factor that no index could hold.
  expect(code(() => elementCount({ dtype: 'int8', shape: [0, 2 ** 53] }))).toBe('corrupt');
});

test("the caller's limits are the ones that count", () => {
  const nine = new Array(9).fill(1);
  const limits = { ...DEFAULT_LIMITS, rank: 9, tensorBytes: 3 };
  expect(tensor('int8', nine, new Int8Array(1), {}, limits).shape).toHaveLength(9);
  expect(tensorFromBytes('int8', nine, new Uint8Array(1), {}, limits).shape).toHaveLength(9);
  expect(code(() => tensor('int8', nine, new Int8Array(1)))).toBe('limit');
  expect(code(() => tensorFromBytes('int8', [4], new Uint8Array(4), {}, limits))).toBe('limit');
});

test('isDtype knows own names only', () => {
  expect(isDtype('float16')).toBe(true);
  expect(isDtype('toString')).toBe(false);
  expect(isDtype(3)).toBe(false);
});

test('bytes round-trip for every dtype, at aligned and odd offsets', () => {
  const dtypes = Object.keys(DTYPES) as Dtype[];
  fc.assert(
    fc.property(
      fc.constantFrom(...dtypes),
      fc.uint8Array({ maxLength: 64 }),
      fc.integer({ min: 0, max: 9 }),
      (dtype, raw, offset) => {
        const length = raw.length - (raw.length % DTYPES[dtype].bytes);
        const padded = new Uint8Array(length + offset);
        padded.set(raw.subarray(0, length), offset);
        const made = tensorFromBytes(dtype, [length / DTYPES[dtype].bytes], padded.subarray(offset));
        expect(tensorBytes(made)).toEqual(raw.slice(0, length));
      },
    ),
  );
  expect(code(() => tensorFromBytes('float32', [1], new Uint8Array(5)))).toBe('mismatch');
});
