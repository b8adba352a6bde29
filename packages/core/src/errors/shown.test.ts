import { expect, test } from 'vitest';
import { shown } from './shown.js';

test('a value is shown as JSON', () => {
  expect(['', 1, Number.NaN, { a: [true, null] }, undefined].map(shown)).toEqual([
    '""',
    '1',
    'NaN',
    '{"a":[true,null]}',
    'undefined',
  ]);
});

test('what JSON leaves raw is escaped', () => {
  expect(shown('\x1b\x7f\u202e\u2028')).toBe('"\\u001b\\u007f\\u202e\\u2028"');
});

test('a cut inside a pair of surrogates leaves no half of it', () => {
  expect(shown(`${'a'.repeat(78)}😀`)).toBe(`"${'a'.repeat(78)}\\ud83d...`);
});
