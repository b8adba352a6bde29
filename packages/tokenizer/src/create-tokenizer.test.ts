import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { codeOf, modelPath, SKIP_CONDITIONS } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { expectSoundOffsets } from '../test/expect-sound-offsets.js';
import { bertText } from './bert-text.js';
import { createTokenizer } from './create-tokenizer.js';

interface Encoded {
  readonly ids: number[];
  readonly offsets: number[];
  readonly types: number[];
}
interface Golden {
  readonly every_code_point: string;
  readonly texts: string[];
  readonly settings: Record<
    string,
    { readonly config: object; readonly single: Encoded[]; readonly pairs: (Encoded & { a: string; b: string })[] }
  >;
}

const golden: Golden = JSON.parse(
  gunzipSync(readFileSync(fileURLToPath(new URL('../golden/tokenizer.json.gz', import.meta.url)))).toString(),
);
const vocab = readFileSync(modelPath('mini-qa/vocab.txt'));
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('against BertTokenizerFast', () => {
  test.each(Object.keys(golden.settings))('%s: ids, types and offsets of every text', (name) => {
    const { config, single, pairs } = golden.settings[name];
    const tokenizer = createTokenizer(
      new Map([
        ['vocab.txt', vocab],
        ['tokenizer_config.json', bytes(config)],
      ]),
    );
    const flat = (encoding: ReturnType<typeof tokenizer.encode>) => ({
      ids: encoding.ids,
      offsets: encoding.ids.flatMap((_, i) => [encoding.starts[i], encoding.ends[i]]),
      types: encoding.typeIds,
    });
    single.forEach((expected, i) => {
      expect(flat(tokenizer.encode(golden.texts[i])), JSON.stringify(golden.texts[i])).toEqual(expected);
    });
    for (const { a, b, ...expected } of pairs) expect(flat(tokenizer.encode(a, b))).toEqual(expected);
  });

  test('tokenizer.json of mini-qa, its truncation to 128 and its padding not applied', () => {
    const tokenizer = createTokenizer(new Map([['tokenizer.json', readFileSync(modelPath('mini-qa/tokenizer.json'))]]));
    golden.settings.uncased.single.forEach((expected, i) => {
      expect(tokenizer.encode(golden.texts[i]).ids).toEqual(expected.ids);
    });
    expect(tokenizer.encode('word '.repeat(1000)).ids).toHaveLength(1002);
  });

  // Decomposition and case are the engine's own tables: those of Unicode 17 as the golden data's.
  test.skipIf(SKIP_CONDITIONS['node-without-unicode-17']())('every code point is normalized and split alike', () => {
    const { normalize, words } = bertText({
      cleanText: true,
      handleChineseChars: true,
      stripAccents: true,
      lowercase: true,
    });
    const hash = createHash('sha256');
    for (let codePoint = 0; codePoint < 0x100100; codePoint++) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
      // The planes between have no characters; of the private ones the seam is enough.
      if (codePoint === 0x32000) codePoint = 0xe0000;
      if (codePoint === 0xe1000) codePoint = 0xfff00;
      const text = `a${String.fromCodePoint(codePoint)}b`;
      const none = text.split('').map(() => 0);
      const { text: normalized } = normalize({ text, starts: none, ends: none });
      hash.update(`${[...words(normalized)].map(([begin, end]) => normalized.slice(begin, end)).join('\x1f')}\x1e`);
    }
    expect(hash.digest('hex')).toBe(golden.every_code_point);
  });
});

describe('offsets', () => {
  const tokenizer = createTokenizer(new Map([['vocab.txt', vocab]]));

  test.each([
    ['', []],
    ['Café', ['Café']],
    ['a\u0301b', ['a\u0301b']],
    ['𠀀x', ['𠀀', 'x']],
    ['[MASK]ed', ['[MASK]', 'ed']],
  ])('%j covers its own text', (text, covered) => {
    const { starts, ends } = tokenizer.tokenize(text);
    expect(starts.map((start, i) => text.slice(start, ends[i]))).toEqual(covered);
  });

  test('ascend, stay inside the text and never cut a surrogate pair, for any string', () => {
    expectSoundOffsets(tokenizer, { covering: true });
  });
});

describe('added tokens', () => {
  const small = {
    added_tokens: [
      { id: 0, content: '[UNK]', special: true },
      { id: 1, content: 'Über', normalized: true, single_word: true },
      { id: 2, content: '<x>', lstrip: true, rstrip: true },
      { id: 3, content: '<x><y>' },
    ],
    normalizer: { type: 'BertNormalizer', lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: { type: 'WordPiece', unk_token: '[UNK]', vocab: { '[UNK]': 0, a: 4, '##a': 5 } },
  };
  const tokenizer = createTokenizer(new Map([['tokenizer.json', bytes(small)]]));
  test.each([
    ['a ÜBER a', [4, 1, 4], [0, 2, 7]],
    ['aUBERa', [0], [0]],
    ['a <x> aa', [4, 2, 4, 5], [0, 1, 6, 7]],
    ['a<x><y>', [4, 3], [0, 1]],
  ])('%j', (text, ids, starts) => {
    expect(tokenizer.tokenize(text)).toMatchObject({ ids, starts });
  });
});

test.each([
  ['no files', new Map(), 'missing'],
  ['an empty vocabulary', new Map([['vocab.txt', bytes('')]]), 'corrupt'],
  ['no special tokens', new Map([['vocab.txt', bytes('a\nb')]]), 'corrupt'],
  ['bytes that are no UTF-8', new Map([['vocab.txt', Uint8Array.of(0xff, 0xfe)]]), 'corrupt'],
  ['no JSON', new Map([['tokenizer.json', bytes('{')]]), 'corrupt'],
  ['a list', new Map([['tokenizer.json', bytes([])]]), 'corrupt'],
  ['another model', new Map([['tokenizer.json', bytes({ model: { type: 'Unigram', vocab: [] } })]]), 'unsupported'],
  ['a negative id', new Map([['tokenizer.json', bytes(withVocabulary({ '[UNK]': -1 }))]]), 'corrupt'],
  ['ids with holes', new Map([['tokenizer.json', bytes(withVocabulary({ '[UNK]': 2_000_000 }))]]), 'corrupt'],
  ['one id twice', new Map([['tokenizer.json', bytes(withVocabulary({ '[UNK]': 0, a: 0 }))]]), 'corrupt'],
  [
    'a word length that is not a number',
    new Map([['tokenizer.json', bytes(withWordLength({ toString: false }))]]),
    'corrupt',
  ],
  ['an unknown token that is unknown', new Map([['tokenizer.json', bytes(withVocabulary({ a: 0 }))]]), 'corrupt'],
])('%s: %#', async (_, files, code) => {
  expect(await codeOf(() => createTokenizer(files))).toBe(code);
});

function withWordLength(max_input_chars_per_word: unknown) {
  const json = withVocabulary({ '[UNK]': 0 });
  return { ...json, model: { ...json.model, max_input_chars_per_word } };
}

function withVocabulary(vocab: Record<string, number>) {
  return {
    added_tokens: [],
    normalizer: { type: 'BertNormalizer' },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: { type: 'WordPiece', unk_token: '[UNK]', vocab },
  };
}
