import { codeOf, runInChild } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { byteCharacters } from './byte-characters.js';
import { createTokenizer, type Tokenizer } from './create-tokenizer.js';
import { DEFAULT_TOKENIZER_LIMITS, type TokenizerLimits } from './tokenizer-limits.js';

const VOCABULARY = { '[UNK]': 0, a: 1, '##a': 2 };

function wordPieceJson(model: object = {}, rest: object = {}) {
  return {
    normalizer: { type: 'BertNormalizer' },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: { type: 'WordPiece', unk_token: '[UNK]', vocab: VOCABULARY, ...model },
    ...rest,
  };
}

function bpeJson(tokens: readonly string[], merges: readonly (readonly [string, string])[]) {
  const vocab = Object.fromEntries([...byteCharacters(), ...tokens].map((token, id) => [token, id]));
  return { pre_tokenizer: { type: 'ByteLevel' }, model: { type: 'BPE', vocab, merges } };
}

const tokenizerOf = (json: object, limits?: TokenizerLimits): Tokenizer =>
  createTokenizer(new Map([['tokenizer.json', new TextEncoder().encode(JSON.stringify(json))]]), { limits });

/** Twice everything. */
const RAISED = Object.fromEntries(
  Object.entries(DEFAULT_TOKENIZER_LIMITS).map(([name, most]) => [name, 2 * most]),
) as unknown as TokenizerLimits;

const added = (count: number, content = (i: number) => `<${i}>`) =>
  Array.from({ length: count }, (_, id) => ({ id, content: content(id) }));
const step = { type: 'BertProcessing', cls: ['a', 1], sep: ['a', 1] };
const special = { SpecialToken: { id: 'a', type_id: 0 } };
const long = 'a'.repeat(300);

describe('limits, with the most that is taken', () => {
  test.each<[string, (n: number) => object, number]>([
    ['max_input_chars_per_word', (n) => wordPieceJson({ max_input_chars_per_word: n }), 200],
    ['a prefix', (n) => wordPieceJson({ continuing_subword_prefix: '#'.repeat(n) }), 16],
    ['added tokens', (n) => wordPieceJson({}, { added_tokens: added(n) }), 10_000],
    [
      'characters of all added tokens',
      (n) =>
        wordPieceJson(
          {},
          { added_tokens: added(n / 100, (i) => `${i}`.padStart(100, '<')).concat(added(n % 100, () => 'x')) },
        ),
      100_000,
    ],
    ['an added token', (n) => wordPieceJson({}, { added_tokens: added(1, () => 'x'.repeat(n)) }), 128],
    [
      'steps of a post-processor',
      (n) => wordPieceJson({}, { post_processor: { type: 'Sequence', processors: Array(n).fill(step) } }),
      64,
    ],
    [
      'steps in sequences of sequences',
      (n) => {
        const half = { type: 'Sequence', processors: Array(n / 4).fill(step) };
        return wordPieceJson({}, { post_processor: { type: 'Sequence', processors: Array(4).fill(half) } });
      },
      64,
    ],
    [
      'pieces of a template',
      (n) => {
        const pieces = [...Array(n - 1).fill(special), { Sequence: { id: 'A', type_id: 0 } }];
        const pair = [...pieces.slice(-1), { Sequence: { id: 'B', type_id: 1 } }];
        return wordPieceJson({}, { post_processor: { type: 'TemplateProcessing', single: pieces, pair } });
      },
      64,
    ],
    ['a token of byte-level BPE', (n) => bpeJson([long.slice(0, n)], []), 256],
  ])('%s', async (_, json, most) => {
    expect(await codeOf(() => tokenizerOf(json(most)).id('a'))).toBeTypeOf('number');
    const more = json(most + (most === 64 ? 4 : 1));
    expect(await codeOf(() => tokenizerOf(more))).toBe('limit');
    expect(tokenizerOf(more, RAISED).id('a')).toBeTypeOf('number');
  });
});

test('a special token, a template or an id that is something else', async () => {
  for (const [json, code] of [
    [wordPieceJson({ unk_token: long.repeat(100) }), 'corrupt'],
    [wordPieceJson({}, { post_processor: { type: 'BertProcessing' } }), 'corrupt'],
    [wordPieceJson({}, { post_processor: { type: 'TemplateProcessing', single: 5 } }), 'corrupt'],
    [wordPieceJson({}, { post_processor: 5 }), 'corrupt'],
    [wordPieceJson({ vocab: { ...VOCABULARY, [long.repeat(100)]: -1 } }), 'corrupt'],
    [wordPieceJson({}, { added_tokens: [{ id: 0.5, content: 'x' }] }), 'corrupt'],
    [wordPieceJson({ vocab: null }), 'corrupt'],
  ] as const) {
    expect(await codeOf(() => tokenizerOf(json)), JSON.stringify(json).slice(0, 200)).toBe(code);
  }
  try {
    tokenizerOf(wordPieceJson({ unk_token: long.repeat(100) }));
  } catch (error) {
    expect((error as Error).message.length).toBeLessThan(300);
  }
  expect.hasAssertions();
});

/** Makes a tokenizer of the files, tokenizes a text and gives the number of tokens. */
const TOKENIZE = `
import { createTokenizer } from '@prune/tokenizer';
export default async ({ json, text, times }: { json: object; text: string; times: number }) => {
  const tokenizer = createTokenizer(new Map([['tokenizer.json', new TextEncoder().encode(JSON.stringify(json))]]));
  return tokenizer.tokenize(text.repeat(times)).ids.length;
};`;

// Entries of every length, so that each part of a word is looked up.
const lengths = Object.fromEntries(Array.from({ length: 199 }, (_, i) => [`${'a'.repeat(i + 1)}b`, i + 3]));
// Each merge makes a token of one character more.
const chain = Array.from({ length: 200 }, (_, i) => 'a'.repeat(i + 2));

test.each<[string, object, string, number]>([
  ['1 MB of one character', wordPieceJson(), 'a', 1_000_000],
  [
    '40 kB in words of 200 characters',
    wordPieceJson({ vocab: { ...VOCABULARY, ...lengths }, max_input_chars_per_word: 200 }),
    `${'a'.repeat(200)} `,
    200,
  ],
  [
    '100 kB of an added token that must be a word',
    wordPieceJson({}, { added_tokens: [{ id: 0, content: 'a', single_word: true }] }),
    'a ',
    50_000,
  ],
  [
    '300 kB that begin like 127 added tokens everywhere',
    wordPieceJson({}, { added_tokens: added(127, (i) => `${'a'.repeat(i + 1)}b`) }),
    'a',
    300_000,
  ],
  [
    '100 kB of one character for merges of every length',
    bpeJson(
      chain,
      chain.map((token) => [token.slice(1), 'a']),
    ),
    'a',
    100_000,
  ],
])('%s: within 10 s and 300 MB', async (_, json, text, times) => {
  const outcome = await runInChild(TOKENIZE, { argument: { json, text, times } });
  expect(outcome.value).toBeTypeOf('number');
  expect(outcome.seconds).toBeLessThan(10);
  expect(outcome.peakBytes).toBeLessThan(300_000_000);
});

/** A tokenizer.json of 16 MiB that repeats a value; `#` in it stands for a key that occurs once. */
const REPEATED = `
import { createTokenizer } from '@prune/tokenizer';
export default async (value: string) => {
  const most = 2 ** 24;
  const bytes = new Uint8Array(most);
  let length = new TextEncoder().encodeInto('{"added_tokens":[', bytes).written;
  for (let key = 0; length < most - 2000; ) {
    const unique = value.replace(/#/g, () => 'k' + (key++).toString(36));
    length += new TextEncoder().encodeInto(unique + ',', bytes.subarray(length)).written;
  }
  length += new TextEncoder().encodeInto('0]}', bytes.subarray(length)).written;
  createTokenizer(new Map([['tokenizer.json', bytes.subarray(0, length)]]));
};`;

test.each([['{}'], [`{${Array.from({ length: 20 }, () => '"#":0').join()}}`]])(
  '16 MiB of %s: limit, within 8 s and 80 MB, the file with them',
  async (value) => {
    const outcome = await runInChild(REPEATED, { argument: value });
    expect(outcome).toMatchObject({ error: { code: 'limit' } });
    expect(outcome.seconds).toBeLessThan(8);
    expect(outcome.peakBytes).toBeLessThan(80_000_000);
  },
);
