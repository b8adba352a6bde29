import { type Pacer, PruneError } from '@prune/core';
import type { Tokenizer } from '@prune/tokenizer';
import { applyTemplate, type Encoding, sliceTokens, type TokenSpans } from '@prune/tokenizer';
import type { BertConfig } from '../config/bert-config.js';

/** What happens to a text that is longer than the model. */
export interface EncodeTextOptions {
  /** Cut the longest text at its end until all fits, as transformers' `longest_first`. Default: `limit` is thrown. */
  readonly truncate?: boolean;
}

/** How long a text may be. */
export interface TextLengthOptions extends EncodeTextOptions {
  /** The longest input, where the model was made for fewer tokens than it has positions. */
  readonly maxTokens?: number;
}

/**
 * One text or two as the model's input, special tokens around them. Throws `invalid-argument` for a text without a token and `limit` for
 * texts that are longer than the model's positions.
 */
export async function encodeText(
  tokenizer: Tokenizer,
  config: BertConfig,
  text: string,
  pair: string | undefined,
  { truncate = false, maxTokens }: TextLengthOptions,
  pacer: Pacer,
  signal?: AbortSignal,
): Promise<Encoding> {
  const maxLength = Math.min(config.maxLength, maxTokens ?? config.maxLength);
  const template = pair === undefined ? tokenizer.single : tokenizer.pair;
  const texts: TokenSpans[] = [];
  for (const one of pair === undefined ? [text] : [text, pair]) {
    await pacer.pause(signal);
    texts.push(await tokenizer.tokenizeInTurns(one, signal));
  }
  if (texts.some(({ ids }) => ids.length === 0)) {
    throw new PruneError('invalid-argument', { where: 'bert-infer', what: 'text has no token in it' });
  }
  const room = Math.max(0, maxLength - template.specials);
  const lengths = texts.map(({ ids }) => ids.length);
  const total = () => lengths.reduce((sum, length) => sum + length, 0);
  if (total() > room && !truncate) {
    throw new PruneError('limit', {
      where: 'bert-infer',
      what: 'text is longer than the model',
      got: `${total() + template.specials} tokens`,
      wanted: `at most ${maxLength}`,
    });
  }
  while (total() > room) lengths[lengths.length > 1 && lengths[1] > lengths[0] ? 1 : 0]--;
  return applyTemplate(
    template,
    texts.map((tokens, i) => sliceTokens(tokens, 0, lengths[i])),
  );
}
