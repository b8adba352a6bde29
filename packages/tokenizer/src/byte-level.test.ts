import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { codeOf, goldenPath } from '@prune/fixtures';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectSoundOffsets } from '../test/expect-sound-offsets.js';
import { byteLevelWords } from './byte-level-words.js';
import { createTokenizer, type Tokenizer } from './create-tokenizer.js';

interface Encoded {
  readonly ids: number[];
  readonly offsets: number[];
}
interface Golden {
  readonly every_code_point: string;
  readonly texts: string[];
  readonly plain: { readonly single: Encoded[]; readonly pairs: (Encoded & { a: string; b: string })[] };
  readonly prefixed: Golden['plain'];
}

const file = (name: string) => new Uint8Array(readFileSync(goldenPath(`roberta/${name}`)));
const golden: Golden = JSON.parse(gunzipSync(file('tokens.json.gz')).toString());
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const json = JSON.parse(new TextDecoder().decode(file('tokenizer.json')));
const fromVocabulary = (config: object) =>
  createTokenizer(
    new Map([
      ['vocab.json', file('vocab.json')],
      ['merges.txt', file('merges.txt')],
      ['tokenizer_config.json', bytes(config)],
    ]),
  );
const fromJson = (config: object, change: object = {}) =>
  createTokenizer(
    new Map([
      ['tokenizer.json', bytes({ ...json, ...change })],
      ['tokenizer_config.json', bytes(config)],
    ]),
  );
const flat = ({ ids, starts, ends }: ReturnType<Tokenizer['encode']>) => ({
  ids,
  offsets: ids.flatMap((_, i) => [starts[i], ends[i]]),
});

describe('against RobertaTokenizerFast', () => {
  test.each([
    ['tokenizer.json', 'plain', fromJson({})],
    ['tokenizer.json, add_prefix_space', 'prefixed', fromJson({ add_prefix_space: true })],
    ['vocab.json and merges.txt', 'plain', fromVocabulary({})],
    ['vocab.json and merges.txt, add_prefix_space', 'prefixed', fromVocabulary({ add_prefix_space: true })],
  ] as const)('%s: ids and offsets of every text', (_, setting, tokenizer) => {
    golden[setting].single.forEach((expected, i) => {
      expect(flat(tokenizer.encode(golden.texts[i])), JSON.stringify(golden.texts[i])).toEqual(expected);
    });
    for (const { a, b, ...expected } of golden[setting].pairs) {
      const encoding = tokenizer.encode(a, b);
      expect(flat(encoding), JSON.stringify([a, b])).toEqual(expected);
      expect(encoding.typeIds).toEqual(expected.ids.map(() => 0));
    }
  });

  test('every code point is split alike', () => {
    const words = byteLevelWords();
    const hash = createHash('sha256');
    for (let codePoint = 0; codePoint < 0x100100; codePoint++) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
      if (codePoint === 0x32000) codePoint = 0xe0000;
      if (codePoint === 0xe1000) codePoint = 0xfff00;
      const character = String.fromCodePoint(codePoint);
      const text = `a${character}1${character} ${character}  `;
      // The golden hash is of code points' places.
      const place = (at: number) => (character.length === 1 ? at : [...text.slice(0, at)].length);
      const places = [...words(text)].map((word) => word.map(place));
      hash.update(JSON.stringify(places));
    }
    expect(hash.digest('hex')).toBe(golden.every_code_point);
  });

  test('in a sequence with a template, as newer files have it', () => {
    const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
    const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
    const post_processor = {
      type: 'Sequence',
      processors: [
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
        {
          type: 'TemplateProcessing',
          single: [special('<s>'), text('A'), special('</s>')],
          pair: [special('<s>'), text('A'), special('</s>'), special('</s>'), text('B'), special('</s>')],
        },
      ],
    };
    const tokenizer = fromJson({}, { post_processor });
    golden.plain.single.forEach((expected, i) => {
      expect(flat(tokenizer.encode(golden.texts[i]))).toEqual(expected);
    });
    for (const { a, b, ...expected } of golden.plain.pairs) expect(flat(tokenizer.encode(a, b))).toEqual(expected);
  });
});

describe('offsets', () => {
  const tokenizer = fromVocabulary({});

  test('not trimmed: tokens cover the text without a gap', () => {
    const whole = fromVocabulary({ trim_offsets: false });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const { starts, ends } = whole.tokenize(text);
        const covered = new Set(
          starts.flatMap((start, i) => Array.from({ length: ends[i] - start }, (_, k) => start + k)),
        );
        expect(covered.size).toBe(text.length);
      }),
    );
  });

  test.each([false, true])('are sound for any string, add_prefix_space %j', (add_prefix_space) => {
    expect.hasAssertions();
    expectSoundOffsets(fromVocabulary({ add_prefix_space }), { covering: false });
  });

  test('half of a pair is the replacement character', () => {
    expect(tokenizer.tokenize('a\ud83d b').ids).toEqual(tokenizer.tokenize('a\ufffd b').ids);
  });
});

describe('what is refused', () => {
  const model = (change: object) => ({ model: { ...json.model, ...change } });
  const { Ġ: blank, ...blankless } = json.model.vocab;
  test.each<[string, object, string]>([
    ['a normalizer', { normalizer: { type: 'NFC' } }, 'unsupported'],
    ['other words', { pre_tokenizer: { type: 'Metaspace' } }, 'unsupported'],
    ['no pre-tokenizer', { pre_tokenizer: null }, 'unsupported'],
    ['tokens that vary', model({ dropout: 0.1 }), 'unsupported'],
    ['marks at the ends of words', model({ end_of_word_suffix: '</w>' }), 'unsupported'],
    ['a byte without a token', model({ vocab: { ...blankless, other: blank } }), 'corrupt'],
    ['no merges', model({ merges: undefined }), 'corrupt'],
    ['a merge that is no pair', model({ merges: ['a b c'] }), 'corrupt'],
    ['a merge of something else', model({ merges: [[1, 2]] }), 'corrupt'],
    ['a merge out of the vocabulary', model({ merges: [['Ġ', 'Ã']] }), 'corrupt'],
    [
      'a special token out of the vocabulary',
      { post_processor: { type: 'RobertaProcessing', sep: ['</x>', 2], cls: ['<s>', 0] } },
      'corrupt',
    ],
  ])('%s', async (_, change, code) => {
    expect(await codeOf(() => fromJson({}, change))).toBe(code);
  });

  test('merges.txt without vocab.json, vocab.json without its special tokens', async () => {
    expect(await codeOf(() => createTokenizer(new Map([['merges.txt', file('merges.txt')]])))).toBe('missing');
    expect(await codeOf(() => createTokenizer(new Map([['vocab.json', file('vocab.json')]])))).toBe('missing');
    expect(await codeOf(() => fromVocabulary({ cls_token: '<other>' }))).toBe('corrupt');
  });
});
