import { expect, test } from 'vitest';
import { parseJson } from './parse-json.js';

const parse = (text: string) => parseJson(new TextEncoder().encode(text), 'x.json');

test('what is no object in UTF-8', () => {
  for (const bad of ['', '[]', 'null', '1', '{', '{"a"}'])
    expect(() => parse(bad)).toThrow(expect.objectContaining({ code: 'corrupt', where: 'x.json' }));
  expect(() => parseJson(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), 'x.json')).toThrow(
    expect.objectContaining({ code: 'corrupt' }),
  );
});

test('nested 64 deep at most, brackets in strings not counted', () => {
  expect(parse('{"a":"[[{\\"\\\\","b":[]}')).toEqual({ a: '[[{"\\', b: [] });
  expect(parse(`{"a":${'['.repeat(63)}${']'.repeat(63)}}`)).toHaveProperty('a');
  expect(() => parse(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`)).toThrow(expect.objectContaining({ code: 'limit' }));
});

test('NaN and infinities, as Python writes them', () => {
  const text = '{"a": NaN, "b": [Infinity, -Infinity], "c": "NaN, \\"Infinity", "d": 1}';
  expect(parse(text)).toEqual({ a: Number.NaN, b: [Infinity, -Infinity], c: 'NaN, "Infinity', d: 1 });
  for (const bad of ['{"a": nan}', '{"a": xNaN}', '{"a": +Infinity}', '{NaN: 1}', '{"a": -NaN}'])
    expect(() => parse(bad), bad).toThrow(expect.objectContaining({ code: 'corrupt' }));
});

test('the largest vocabulary of a BERT, 501,153 entries', () => {
  const entries = Array.from({ length: 501_153 }, (_, i) => `"w${i}":${i}`).join();
  expect(Object.keys(parse(`{"vocab":{${entries}}}`).vocab as object).length).toBe(501_153);
});

test.each([
  ['{}', 600_000],
  ['[]', 600_000],
  ['[[[[0]]]]', 150_000],
  ['1', 1_600_000],
  ['{"a":0}', 150_000],
])('so many of %s that they would take more than 64 MB and 4 times the text', (value, count) => {
  const parsed = () => parse(`{"a":[${`${value},`.repeat(count)}0]}`);
  expect(parsed).toThrow(expect.objectContaining({ code: 'limit' }));
});
