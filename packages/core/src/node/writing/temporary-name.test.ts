import { expect, test } from 'vitest';
import { thisProcess } from './process-mark.js';
import { parseTemporaryName, temporaryName } from './temporary-name.js';

test.each([
  '',
  'model.h5',
  '.',
  'two\nlines',
  `${'a'.repeat(255)}`,
  '🙂'.repeat(63),
  '.x.0123456789ab-1-1.0123456789ab.tmp',
])('the name beside %j says who made it, is not used again and fits', (base) => {
  const name = temporaryName(base, 'tmp');
  expect(parseTemporaryName(name)).toEqual({ ...thisProcess(), kind: 'tmp' });
  expect(temporaryName(base, 'tmp')).not.toBe(name);
  expect(Buffer.byteLength(name)).toBeLessThan(200);
  expect(Buffer.from(name).toString()).toBe(name);
});

test.each([
  '',
  '.tmp',
  'model.h5',
  '.model.h5.0123456789ab.tmp',
  '.a.0123456789ab-1-1.0123456789ab.txt',
  'a.0123456789ab-1-1.0123456789ab.tmp',
])('%j is not one of them', (name) => {
  expect(parseTemporaryName(name)).toBeUndefined();
});
