import { expect, test } from 'vitest';
import { jsonText } from './json-text.js';
import { parseJson } from './parse-json.js';

test('nothing, and what JSON has', () => {
  expect(jsonText({})).toBe('{}');
  expect(jsonText({ a: [1, 'NaN', null] }, 2)).toBe(JSON.stringify({ a: [1, 'NaN', null] }, null, 2));
});

test('NaN and infinities come back', () => {
  const value = { a: Number.NaN, b: [Infinity, -Infinity], c: 'NaN' };
  expect(jsonText(value)).toBe('{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN"}');
  expect(parseJson(new TextEncoder().encode(jsonText(value)), 'x')).toEqual(value);
});
