import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addedTokenSplitter } from './added-tokens.js';
import { createTokenizer } from './create-tokenizer.js';

// Characters of one and two code units, so that parts of words could cut one in two.
const piece = fc.string({ unit: fc.constantFrom('a', 'b', '😀', '😁', '#', '['), minLength: 1, maxLength: 5 });

test("WordPiece is the library's, with its tokens and with words that are too long", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(piece, { maxLength: 30 }),
      fc.array(piece, { maxLength: 12 }),
      fc.nat(20),
      (entries, words, most) => {
        const all = ['[UNK]', ...new Set(entries.flatMap((entry) => [entry, `##${entry}`]))];
        const model = {
          type: 'WordPiece',
          unk_token: '[UNK]',
          continuing_subword_prefix: '##',
          max_input_chars_per_word: most,
          vocab: Object.fromEntries([...new Set(all)].map((token, id) => [token, id])),
        };
        const json = {
          normalizer: null,
          pre_tokenizer: { type: 'WhitespaceSplit' },
          post_processor: null,
          decoder: null,
          added_tokens: [],
          model,
        };
        const library = new LibraryTokenizer(json, {});
        const ours = createTokenizer(
          new Map([
            [
              'tokenizer.json',
              new TextEncoder().encode(
                JSON.stringify({
                  ...json,
                  normalizer: { type: 'BertNormalizer', lowercase: false },
                  pre_tokenizer: { type: 'BertPreTokenizer' },
                }),
              ),
            ],
          ]),
        );
        for (const word of words.map((word) => word.replace(/[#[]/g, 'c'))) {
          expect(ours.tokenize(word).ids.map((id) => ours.token(id))).toEqual(library.tokenize(word));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('added tokens are found where a regular expression of them finds them, halves of characters too', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '😀', '😁', '\ud83d', '\ude00'), maxLength: 30 });
  const content = fc.string({ unit: fc.constantFrom('a', 'b', '😀', '\ud83d', '\ude00'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.uniqueArray(content, { minLength: 1, maxLength: 8 }), text, (contents, given) => {
      const plain = { singleWord: false, lstrip: false, rstrip: false, normalized: false };
      const split = addedTokenSplitter(new Map(contents.map((content, id) => [content, { id, content, ...plain }])));
      const found = split(given).filter(({ token }) => token !== undefined);
      const pattern = new RegExp([...contents].sort((a, b) => b.length - a.length).join('|'), 'gu');
      expect(found.map(({ begin, token }) => [begin, token?.content])).toEqual(
        [...given.matchAll(pattern)].map((match) => [match.index, match[0]]),
      );
    }),
    { numRuns: 1000 },
  );
});
