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
