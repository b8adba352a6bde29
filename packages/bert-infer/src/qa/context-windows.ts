import { type Pacer, PruneError } from '@prune/core';
import type { Tokenizer } from '@prune/tokenizer';
import { applyTemplate, type Encoding, sliceTokens } from '@prune/tokenizer';

/** How a question and a long context are cut into inputs of a model. */
export interface WindowOptions {
  /** Most tokens of a window, special tokens and question included. At most what the model has positions for. */
  readonly maxLength: number;
  /** Context tokens from the start of one window to the start of the next; a window's whole context at most. */
  readonly stride: number;
  /** The question is cut to this many tokens. */
  readonly maxQuestionLength: number;
  readonly signal?: AbortSignal;
}

/** One input of the model: special tokens, question, and a piece of the context. Offsets count in the text they are of. */
export interface ContextWindow extends Encoding {
  /** Where the context's tokens are in the window. */
  readonly contextBegin: number;
  readonly contextEnd: number;
}

/**
 * Cuts a question and its context into windows: each begins `stride` context tokens after the one before, the last one ends with the context.
 * Throws `invalid-argument` for a question or context without a token and for a window without room for one token of context.
 */
export async function contextWindows(
  tokenizer: Tokenizer,
  question: string,
  context: string,
  { maxLength, stride, maxQuestionLength, signal }: WindowOptions,
  pacer: Pacer,
): Promise<ContextWindow[]> {
  const whole = await tokenizer.tokenizeInTurns(question, signal);
  const questionLength = Math.min(whole.ids.length, maxQuestionLength);
  const asked = sliceTokens(whole, 0, questionLength);
  const text = await tokenizer.tokenizeInTurns(context, signal);
  const length = text.ids.length;
  for (const [what, { starts, ends }] of [
    ['question', asked],
    ['context', text],
  ] as const) {
    // Byte-level BPE has tokens of blanks, which cover nothing.
    if (starts.some((start, i) => start < ends[i])) continue;
    throw new PruneError('invalid-argument', { where: 'answer', what: `${what} has no token in it` });
  }
  const room = maxLength - tokenizer.pair.specials - questionLength;
  if (room < 1) {
    throw new PruneError('invalid-argument', {
      where: 'answer',
      what: 'no room for context in a window',
      got: `${maxLength} tokens, of which ${maxLength - room} for the question and special tokens`,
      wanted: 'a longer window or a shorter question',
    });
  }
  const windows: ContextWindow[] = [];
  for (let begin = 0; ; begin += Math.min(stride, room)) {
    await pacer.pause(signal);
    const end = Math.min(begin + room, length);
    const encoding = applyTemplate(tokenizer.pair, [asked, sliceTokens(text, begin, end)]);
    const contextBegin = encoding.sequence.indexOf(1);
    windows.push({ ...encoding, contextBegin, contextEnd: contextBegin + end - begin });
    if (end === length) return windows;
  }
}
