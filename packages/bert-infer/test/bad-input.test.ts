import { isPruneError } from '@prune/core';
import { createTokenizer } from '@prune/tokenizer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packBatch } from '../src/batch/pack-batch.js';
import { bertConfig } from '../src/config/bert-config.js';
import { readSquad } from '../src/squad/read-squad.js';
import { goldenConfig } from './golden-model.js';

const RUNS = 400 * Number(process.env.PRUNE_FUZZ ?? 1);

const tokenizerJson = {
  added_tokens: [
    { id: 0, content: '[UNK]', special: true, normalized: false },
    { id: 1, content: '[CLS]', special: true, normalized: true },
    { id: 2, content: '[SEP]', special: true, lstrip: true },
  ],
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: {},
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[UNK]': 0, '[CLS]': 1, '[SEP]': 2, a: 3, '##b': 4, '.': 5 },
  },
};
/** Byte-level BPE with a character for each byte: 0x21..0x7e, 0xa1..0xac, 0xae..0xff as they are, U+0100 on for the others. */
const byteLevelJson = {
  ...tokenizerJson,
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  post_processor: {
    type: 'RobertaProcessing',
    sep: ['[SEP]', 2],
    cls: ['[CLS]', 1],
    trim_offsets: true,
    add_prefix_space: true,
  },
  model: {
    type: 'BPE',
    dropout: null,
    merges: ['a b', ['Ġ', 'a']],
    vocab: Object.fromEntries(
      ['[UNK]', '[CLS]', '[SEP]', 'ab', 'Ġa', ...Array.from({ length: 324 }, (_, i) => String.fromCharCode(i))].map(
        (token, id) => [token, id],
      ),
    ),
  },
};
const squad = {
  version: '1.1',
  data: [
    { paragraphs: [{ context: 'c', qas: [{ id: '1', question: 'q', answers: [{ text: 'c', answer_start: 0 }] }] }] },
  ],
};
const inputs = { input_ids: [[1, 2]], attention_mask: [[1, 1]], token_type_ids: [[0, 1]] };

/** Something else in one place of a JSON value: chosen by walking down, replaced or dropped. */
function mutated(json: unknown): fc.Arbitrary<unknown> {
  const other = fc.oneof(
    fc.constantFrom<unknown>(null, -1, 2 ** 31, 1e300, 0.5, '', '[UNK]', 'A', {}, [], [[]], [null], true, '\ud800'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc
    .tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), other, fc.boolean())
    .map(([path, value, drop]) => {
      const copy: unknown = structuredClone(json);
      let at = copy;
      for (const [depth, step] of path.entries()) {
        if (typeof at !== 'object' || at === null) break;
        const keys = Object.keys(at);
        if (keys.length === 0) break;
        const key = keys[step % keys.length];
        const holder = at as Record<string, unknown>;
        const next = holder[key];
        if (depth === path.length - 1 || typeof next !== 'object' || next === null) {
          if (drop) delete holder[key];
          else holder[key] = value;
          break;
        }
        at = next;
      }
      return copy;
    });
}

/** Runs `work`; only a PruneError may come out of it. */
function onlyPruneErrors(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!isPruneError(error)) throw error;
    expect(error.message.length).toBeLessThan(1000);
  }
}

test.each([
  ['WordPiece', tokenizerJson],
  ['byte-level BPE', byteLevelJson],
])('tokenizer.json of %s with something else in one place', (_, good) => {
  expect.hasAssertions();
  const files = (json: unknown) => new Map([['tokenizer.json', new TextEncoder().encode(JSON.stringify(json))]]);
  expect(createTokenizer(files(good)).encode('ab', 'b').ids.length).toBeGreaterThan(2);
  fc.assert(
    fc.property(mutated(good), fc.string({ unit: 'binary' }), (json, text) => {
      onlyPruneErrors(() => {
        const { ids, starts, ends } = createTokenizer(files(json)).encode(`a[SEP]ab. ${text}`, 'b');
        expect(ids.every((id) => Number.isInteger(id) && id >= 0)).toBe(true);
        expect([...starts, ...ends].every((offset) => Number.isInteger(offset) && offset >= 0)).toBe(true);
      });
    }),
    { numRuns: RUNS },
  );
});

const besideVocabulary = {
  'tokenizer_config.json': {
    do_lower_case: true,
    tokenizer_class: 'BertTokenizer',
    mask_token: { content: '[M]', lstrip: true, normalized: false },
    additional_special_tokens: ['[A]', { content: '[B]', rstrip: true }],
    added_tokens_decoder: { 6: { content: '[M]', special: true }, 7: { content: 'ab', single_word: true } },
  },
  'special_tokens_map.json': { unk_token: '[UNK]', pad_token: '.', additional_special_tokens: ['[A]', '[C]'] },
  'added_tokens.json': { '[A]': 6, a: 3 },
  'config.json': { model_type: 'bert' },
};

test.each([
  ['added_tokens_decoder', besideVocabulary],
  ['added_tokens.json', { ...besideVocabulary, 'tokenizer_config.json': { do_lower_case: false } }],
])('the files beside vocab.txt with something else in one place: %s', (_, good) => {
  expect.hasAssertions();
  const vocabulary = new TextEncoder().encode('[UNK]\n[CLS]\n[SEP]\na\n##b\n.\n');
  const encode = (json: Partial<typeof besideVocabulary>, text: string) => {
    const { 'config.json': config, ...beside } = json;
    const files = Object.entries(beside).map(
      ([name, value]) => [name, new TextEncoder().encode(JSON.stringify(value))] as const,
    );
    return createTokenizer(new Map([['vocab.txt', vocabulary], ...files]), { config }).encode(text, 'b');
  };
  expect(encode(good as typeof besideVocabulary, 'a[A]ab').ids.length).toBeGreaterThan(2);
  fc.assert(
    fc.property(
      mutated(good) as fc.Arbitrary<Partial<typeof besideVocabulary>>,
      fc.string({ unit: 'binary' }),
      (json, text) => {
        // A config.json has been parsed already, so it is an object.
        if (typeof json !== 'object' || json === null || Object(json['config.json']) !== json['config.json']) return;
        onlyPruneErrors(() => {
          const { ids, starts, ends } = encode(json, `a[A]ab. ${text}`);
          expect([...ids, ...starts, ...ends].every((number) => Number.isInteger(number) && number >= 0)).toBe(true);
        });
      },
    ),
    { numRuns: RUNS },
  );
});

test('config.json, a SQuAD file and inputs with something else in one place', () => {
  expect.hasAssertions();
  const config = bertConfig(goldenConfig('tiny'));
  fc.assert(
    fc.property(
      mutated({ ...goldenConfig('tiny'), pruned_heads: { 0: [1, 3], 1: [0] } }),
      mutated(squad),
      mutated(inputs),
      (json, dataset, batch) => {
        onlyPruneErrors(() => {
          const { hiddenSize, heads, layers, prunedHeads } = bertConfig(json as typeof squad);
          expect(hiddenSize % heads).toBe(0);
          expect([...prunedHeads].every(([layer, count]) => layer < layers && count <= heads)).toBe(true);
        });
        onlyPruneErrors(() => readSquad(dataset));
        onlyPruneErrors(() => {
          const { ids } = packBatch(batch as typeof inputs, config, 'skip');
          expect(ids.every((id) => id >= 0 && id < config.vocabSize)).toBe(true);
        });
        expect(config.layers).toBe(2);
      },
    ),
    { numRuns: RUNS },
  );
});
