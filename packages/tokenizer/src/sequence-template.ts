import type { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { checkLimit, type JsonObject, PruneError } from '@prune/core';
import { isObject } from './is-object.js';
import { pushToken, type TokenSpans } from './token-spans.js';
import type { TokenizerLimits } from './tokenizer-limits.js';

/** A model's input: one text or two with the special tokens around them. */
export interface Encoding extends TokenSpans {
  /** 0 or 1 for each token. */
  readonly typeIds: number[];
  /** For each token: 0 for the first text, 1 for the second, -1 for a special token of the template (its offsets are 0). */
  readonly sequence: number[];
}

/** Where the special tokens go around one text or two. */
export interface SequenceTemplate {
  /** Each piece is a special token (its id), or one of the texts. */
  readonly pieces: readonly { readonly typeId: number; readonly text?: 0 | 1; readonly id: number }[];
  /** How many special tokens there are. */
  readonly specials: number;
}

/** Puts the special tokens of a template around tokenized texts. */
export function applyTemplate({ pieces }: SequenceTemplate, texts: readonly TokenSpans[]): Encoding {
  const encoding: Encoding = { ids: [], starts: [], ends: [], typeIds: [], sequence: [] };
  const add = (id: number, start: number, end: number, typeId: number, sequence: number): void => {
    pushToken(encoding, id, start, end);
    encoding.typeIds.push(typeId);
    encoding.sequence.push(sequence);
  };
  for (const piece of pieces) {
    if (piece.text === undefined) add(piece.id, 0, 0, piece.typeId, -1);
    else {
      const { ids, starts, ends } = texts[piece.text];
      for (let i = 0; i < ids.length; i++) add(ids[i], starts[i], ends[i], piece.typeId, piece.text);
    }
  }
  return encoding;
}

/**
 * What the library's post-processor puts around one text or two, found by running it on stand-ins.
 * Throws `corrupt` for a special token that is unknown, `unsupported` for texts that are not there once, in order.
 */
export function sequenceTemplate(
  library: LibraryTokenizer,
  { post_processor: json }: JsonObject,
  idOf: (token: string) => number | undefined,
  withPair: boolean,
  limits: TokenizerLimits,
): SequenceTemplate {
  // No vocabulary has a token with a line feed: a line of vocab.txt holds none, byte-level BPE writes another character for it.
  const standIns = ['\nfirst', '\nsecond'];
  const { tokens, token_type_ids } = library.post_processor
    ? library.post_processor([standIns[0]], withPair ? [standIns[1]] : null, true)
    : { tokens: standIns.slice(0, withPair ? 2 : 1), token_type_ids: undefined };
  // RoBERTa has one token type; the library numbers the texts of a pair all the same.
  const untyped = postProcessors(json, limits).some(({ type }) => type === 'RobertaProcessing');
  const pieces = tokens.map((token, i) => {
    const typeId = untyped ? 0 : (token_type_ids?.[i] ?? 0);
    const index = standIns.indexOf(token);
    if (index === 0 || index === 1) return { typeId, text: index as 0 | 1, id: -1 };
    const id = idOf(token);
    if (id !== undefined && (typeId === 0 || typeId === 1)) return { typeId, id };
    throw new PruneError('corrupt', {
      where: 'tokenizer',
      what: 'template names a special token that is not in the vocabulary',
      got: token,
    });
  });
  const texts = pieces.filter((piece) => piece.text !== undefined).map((piece) => piece.text);
  if (texts.join() !== (withPair ? '0,1' : '0')) {
    throw new PruneError('unsupported', {
      where: 'tokenizer',
      what: 'template does not hold each text once, in order',
    });
  }
  return { pieces, specials: pieces.length - texts.length };
}

/**
 * The steps of tokenizer.json's `post_processor`: itself, or those of a sequence. Throws `limit` for more steps, or more
 * pieces of a template, than any tokenizer has.
 */
export function postProcessors(json: unknown, limits: TokenizerLimits): readonly JsonObject[] {
  if (!isObject(json)) return [];
  for (const list of [json.processors, json.single, json.pair]) {
    if (Array.isArray(list))
      checkLimit('steps of the post-processor', list.length, limits.steps, { where: 'tokenizer' });
  }
  if (json.type !== 'Sequence' || !Array.isArray(json.processors)) return [json];
  const steps = json.processors.flatMap((step) => postProcessors(step, limits));
  checkLimit('steps of the post-processor', steps.length, limits.steps, { where: 'tokenizer' });
  return steps;
}
