import { type JsonObject, PruneError } from '@prune/core';

/**
 * The classes of transformers, without `Fast`, that make the same tokenizer of `vocab.txt` as `BertTokenizer`, and of
 * `vocab.json` and `merges.txt` as `RobertaTokenizer`. Source: transformers 4.57, the tokenization_*_fast.py of each.
 */
const CLASSES: ReadonlyMap<string, 'vocab.txt' | 'vocab.json'> = new Map([
  ['BertTokenizer', 'vocab.txt'],
  ['ConvBertTokenizer', 'vocab.txt'],
  ['DistilBertTokenizer', 'vocab.txt'],
  ['DPRContextEncoderTokenizer', 'vocab.txt'],
  ['DPRQuestionEncoderTokenizer', 'vocab.txt'],
  ['ElectraTokenizer', 'vocab.txt'],
  ['LayoutLMTokenizer', 'vocab.txt'],
  ['LxmertTokenizer', 'vocab.txt'],
  ['MobileBertTokenizer', 'vocab.txt'],
  ['RetriBertTokenizer', 'vocab.txt'],
  ['SqueezeBertTokenizer', 'vocab.txt'],
  ['BartTokenizer', 'vocab.json'],
  ['LEDTokenizer', 'vocab.json'],
  ['LongformerTokenizer', 'vocab.json'],
  ['RobertaTokenizer', 'vocab.json'],
] as const);

/** Classes that split texts into words in Python code, whatever a tokenizer.json beside them says. */
const PYTHON_ONLY: ReadonlySet<string> = new Set(['BertJapaneseTokenizer', 'BertweetTokenizer', 'PhobertTokenizer']);

/**
 * Throws `unsupported` for a tokenizer class that we do not have, and `missing` for one that we have without the
 * vocabulary that it reads. tokenizer_config.json names the class, or the model's config.json. tokenizer.json says
 * everything by itself, except for the classes that never read it.
 */
export function checkTokenizerClass(
  files: ReadonlyMap<string, unknown>,
  settings: JsonObject,
  modelConfig: JsonObject,
): void {
  const ofSettings = typeof settings.tokenizer_class === 'string';
  const { tokenizer_class: name } = ofSettings ? settings : modelConfig;
  const where = ofSettings ? 'tokenizer_config.json' : 'config.json';
  if (typeof name !== 'string') {
    // Only BertJapaneseTokenizer has this setting.
    if (typeof settings.word_tokenizer_type !== 'string') return;
    throw new PruneError('unsupported', {
      where: 'tokenizer_config.json',
      what: 'a tokenizer with word_tokenizer_type',
      got: settings.word_tokenizer_type,
      wanted: WANTED,
    });
  }
  const kind = name.replace(/Fast$/, '');
  if (files.has('tokenizer.json') && !PYTHON_ONLY.has(kind)) return;
  const vocabulary = CLASSES.get(kind);
  if (vocabulary === undefined) {
    throw new PruneError('unsupported', { where, what: 'tokenizer class', got: name, wanted: WANTED });
  }
  if (files.has(vocabulary)) return;
  const got = [...files.keys()].join(', ');
  throw new PruneError('missing', { where: 'tokenizer', what: `the vocabulary of ${name}`, got, wanted: vocabulary });
}

const WANTED = 'BertTokenizer, RobertaTokenizer, a class that works like one of these, or a tokenizer.json';
