import { crc32 } from '@prune/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutVocabulary } from './cut-vocabulary.js';
import { joinVocabulary } from './join-vocabulary.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const linesOf = (tokens: readonly string[]) => bytesOf(tokens.map((token) => `${token}\n`).join(''));

/** A tokenizer.json with these marks around its entries. */
function jsonOf(tokens: readonly string[], colon = ':', between = ',', ends = ['{', '}']): Uint8Array {
  const entries = tokens.map((token, id) => `${JSON.stringify(token)}${colon}${id}`);
  return bytesOf(`{"version":"1.0","model":{"vocab"${colon}${ends[0]}${entries.join(between)}${ends[1]},"é":[]}}`);
}

const join = (rest: Uint8Array, lines: Uint8Array, length: number) =>
  joinVocabulary(rest, lines, { length, vocabulary: 'vocab.txt', crc32 });

/** The bytes of the rest, after the file has come back. */
function roundTrip(json: Uint8Array, lines: Uint8Array): number {
  const rest = cutVocabulary(json, lines, crc32);
  if (rest === undefined) throw new Error('not cut');
  expect(Buffer.compare(join(rest, lines, json.length), json)).toBe(0);
  return rest.length;
}

const words = ['[PAD]', 'the', '##s', 'é', '龍', '"', '\\', 'a"b\\c', '\u0001\t\r\b\f\u001f', '\u007f', '😀', '', ' '];

describe('a text whose vocabulary the lines are', () => {
  test.each<[string, Uint8Array, Uint8Array]>([
    ['without blanks', jsonOf(words), linesOf(words)],
    ['indented', jsonOf(words, ': ', ',\n      ', ['{\n      ', '\n    }']), linesOf(words)],
    ['one token', jsonOf(['a']), linesOf(['a'])],
    ['one token and no newline', jsonOf(['a']), bytesOf('a')],
    ['a last line without a newline', jsonOf(['a', 'b']), bytesOf('a\nb')],
    ['the key as a token too', jsonOf(['"vocab":{"', '"vocab"']), linesOf(['"vocab":{"', '"vocab"'])],
    ['nothing after the entries', jsonOf(['a', 'b'], ':', ',', ['{', '']).subarray(0, -9), linesOf(['a', 'b'])],
  ])('%s', (_, json, lines) => {
    roundTrip(json, lines);
  });

  test('takes no more with more tokens', () => {
    const many = Array.from({ length: 3000 }, (_, i) => `token ${i}`);
    expect(roundTrip(jsonOf(many), linesOf(many))).toBe(roundTrip(jsonOf(['a', 'b']), linesOf(['a', 'b'])));
  });

  test('any tokens', () => {
    const token = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\n'));
    fc.assert(
      fc.property(fc.array(token, { minLength: 2 }), fc.constantFrom(':', ': '), (tokens, colon) => {
        roundTrip(jsonOf(tokens, colon, ',\n'), linesOf(tokens));
      }),
    );
  });
});

test.each<[string, Uint8Array, Uint8Array]>([
  ['no lines', jsonOf([]), bytesOf('')],
  ['lines, and no entries', jsonOf([]), linesOf(['a'])],
  ['another order', jsonOf(['b', 'a']), linesOf(['a', 'b'])],
  ['fewer entries', jsonOf(['a', 'b']), linesOf(['a', 'b', 'c'])],
  ['fewer lines than entries, ids from 1', bytesOf('{"vocab":{"a":1,"b":2}}'), linesOf(['a', 'b'])],
  ['a line that ends with a carriage return', jsonOf(['a', 'b']), bytesOf('a\r\nb\r\n')],
  ['escapes that JSON does not need', bytesOf('{"vocab":{"\\u0061":0,"b":1}}'), linesOf(['a', 'b'])],
  ['blanks in one place', bytesOf('{"vocab":{"a":0,"b": 1}}'), linesOf(['a', 'b'])],
  ['marks of more bytes than the head can say', jsonOf(['a', 'b'], ':', `,${' '.repeat(255)}`), linesOf(['a', 'b'])],
  ['no vocabulary', bytesOf('{}'), linesOf(['a'])],
  ['not JSON', Uint8Array.from({ length: 999 }, (_, i) => i), linesOf(['a'])],
])('a text that is left as it is: %s', (_, json, lines) => {
  expect(cutVocabulary(json, lines, crc32)).toBeUndefined();
});

test('entries beyond the lines stay with the rest', () => {
  expect(roundTrip(jsonOf(['a', 'b', 'c']), linesOf(['a', 'b']))).toBeGreaterThan(10);
});

describe('what is not that', () => {
  const json = jsonOf(['a', 'b', 'c']);
  const lines = linesOf(['a', 'b', 'c']);
  const rest = cutVocabulary(json, lines, crc32)!;
  const corrupt = (what: string) =>
    expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(what) });

  test('lines of another vocabulary', () => {
    expect(() => join(rest, linesOf(['a', 'x', 'c']), json.length)).toThrow(corrupt('CRC-32'));
    expect(() => join(rest, linesOf(['a', 'b']), json.length)).toThrow(corrupt('vocabulary of vocab.txt'));
    expect(() => join(rest, lines, json.length + 1)).toThrow(corrupt('vocabulary of vocab.txt'));
  });

  test('a rest that is cut off', () => {
    for (const end of [0, 9, 10, rest.length - 1]) {
      expect(() => join(rest.subarray(0, end), lines, json.length)).toThrow(corrupt(''));
    }
  });

  test('a text that would be much longer than the file is not made', () => {
    // Whole, it would have 2 GB, and counting those takes seconds.
    const many = bytesOf('\n'.repeat(2 ** 22));
    const wide = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...new Array(510).fill(32)]);
    const before = process.memoryUsage().arrayBuffers;
    const start = performance.now();
    expect(() => join(wide, many, 100)).toThrow(corrupt('vocabulary of vocab.txt'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
