import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { codeOf, goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { createTokenizer, type Tokenizer } from './create-tokenizer.js';

interface Golden {
  readonly folders: readonly {
    readonly files: Readonly<Record<string, string>>;
    readonly roberta: boolean;
    readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly offsets: number[] }[];
  }[];
}

const golden: Golden = JSON.parse(
  gunzipSync(readFileSync(fileURLToPath(new URL('../golden/added-tokens.json.gz', import.meta.url)))).toString(),
);
const bytes = (text: string) => new TextEncoder().encode(text);
const roberta = ['vocab.json', 'merges.txt'].map(
  (name) => [name, new Uint8Array(readFileSync(goldenPath(`roberta/${name}`)))] as const,
);

test("added and special tokens of every file: ids and offsets of transformers' fast tokenizers", () => {
  for (const { files, roberta: isRoberta, texts } of golden.folders) {
    const tokenizer = createTokenizer(
      new Map([
        ...Object.entries(files).map(([name, text]) => [name, bytes(text)] as const),
        ...(isRoberta && !('tokenizer.json' in files) ? roberta : []),
      ]),
    );
    for (const { text, ids, offsets } of texts) {
      const { ids: got, starts, ends } = tokenizer.encode(text);
      const { 'tokenizer.json': _, 'vocab.txt': __, ...rest } = files;
      expect({ ids: got, offsets: got.flatMap((_, i) => [starts[i], ends[i]]) }, JSON.stringify([text, rest])).toEqual({
        ids,
        offsets,
      });
    }
  }
  expect(golden.folders.length).toBeGreaterThan(40);
});

const vocabulary = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\nu\n##s\n##e\n##r\n';
const tokenizerOf = (files: object): Tokenizer =>
  createTokenizer(
    new Map(
      Object.entries({ 'vocab.txt': vocabulary, ...files }).map(([name, content]) => [
        name,
        bytes(typeof content === 'string' ? content : JSON.stringify(content)),
      ]),
    ),
  );

test('an added token that the splitter declines is not a word of WordPiece', () => {
  const tokenizer = tokenizerOf({
    'added_tokens.json': { user: 11 },
    'special_tokens_map.json': { additional_special_tokens: ['user'] },
  });
  expect(tokenizer.tokenize('User user').ids).toEqual([7, 8, 9, 10, 11]);
  expect([tokenizer.token(11), tokenizer.id('user')]).toEqual(['user', 11]);
});

test('a special token that the vocabulary lacks follows it', () => {
  const tokenizer = tokenizerOf({ 'tokenizer_config.json': { additional_special_tokens: ['[A]', '[B]'] } });
  expect(tokenizer.tokenize('[B][A]').ids).toEqual([12, 11]);
});

const decoder = (added_tokens_decoder: unknown) => ({ 'tokenizer_config.json': { added_tokens_decoder } });
test.each<[string, object, string]>([
  ['an id past the next one', { 'added_tokens.json': { '[A]': 12 } }, 'corrupt'],
  ['an id of another token', { 'added_tokens.json': { '[A]': 5 } }, 'corrupt'],
  ['another id for a token of the vocabulary', { 'added_tokens.json': { the: 6 } }, 'corrupt'],
  ['an id that is not a number', { 'added_tokens.json': { '[A]': null } }, 'corrupt'],
  ['an id that is not an integer', decoder({ '1.5': { content: '[A]' } }), 'corrupt'],
  ['a token without content', decoder({ 11: {} }), 'corrupt'],
  ['a list as added_tokens_decoder', decoder([]), 'corrupt'],
  ['an empty token', decoder({ 11: { content: '' } }), 'corrupt'],
  ['a list as added_tokens.json', { 'added_tokens.json': [] }, 'corrupt'],
  ['a special token that no file has an id for', { 'special_tokens_map.json': { sep_token: '</s>' } }, 'corrupt'],
  [
    'too many',
    { 'added_tokens.json': Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`<${i}>`, 11 + i])) },
    'limit',
  ],
  ['too long', { 'special_tokens_map.json': { additional_special_tokens: ['a'.repeat(129)] } }, 'limit'],
])('%s', async (_, files, code) => {
  expect(await codeOf(() => tokenizerOf(files))).toBe(code);
});
