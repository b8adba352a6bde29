import { Pacer, PruneError } from '@prune/core';
import { softmax } from '../math/softmax.js';
import type { BertModel } from '../model/bert-model.js';
import { checkModel } from '../model/check-model.js';
import { checkText } from '../text/check-text.js';
import { modelInputs } from '../text/model-inputs.js';
import type { WatchResultOptions } from '../watch-options.js';
import { bestSpans, type SpanOptions } from './best-spans.js';
import { type ContextWindow, contextWindows } from './context-windows.js';

/** How an answer is looked for. Progress counts windows; the result so far is the best answer of the windows done. */
export interface AnswerOptions extends WatchResultOptions<AnswerResult> {
  /** How many spans to return, best first. */
  readonly nBest?: number;
  /** Most tokens of an answer. */
  readonly maxAnswerLength?: number;
  /** Most tokens of a window: question, special tokens and a piece of the context. Cut to what the model has positions for. */
  readonly maxLength?: number;
  /** Context tokens from the start of one window to the start of the next. */
  readonly stride?: number;
  /** The question is cut to this many tokens. */
  readonly maxQuestionLength?: number;
  /** How many of the best starts of a window are paired with how many of its best ends. */
  readonly candidates?: number;
  /** Whether the context may hold no answer (SQuAD 2): then "no answer" competes with the score of the first token, `[CLS]` or `<s>`. */
  readonly noAnswer?: boolean;
  /** "No answer" wins when its score is more than the best answer's plus this. */
  readonly noAnswerThreshold?: number;
}

/** What {@link answer} does when nothing else is said: the windows and bounds of the SQuAD baselines. */
export const DEFAULT_ANSWER_OPTIONS = {
  nBest: 1,
  maxAnswerLength: 30,
  maxLength: 384,
  stride: 128,
  maxQuestionLength: 64,
  candidates: 20,
  noAnswer: false,
  noAnswerThreshold: 0,
} as const satisfies AnswerOptions;

/** One candidate. `text` is `context.slice(start, end)`; "no answer" is `''` at 0. */
export interface Answer {
  readonly text: string;
  /** UTF-16 code units in the context. */
  readonly start: number;
  readonly end: number;
  /** Start logit plus end logit. */
  readonly score: number;
  /** Softmax of the scores over the `candidates` best spans of all windows, and "no answer" where that is asked for. */
  readonly probability: number;
}

/** The best answer, and the candidates that it was chosen from. */
export interface AnswerResult extends Answer {
  /** The `nBest` best spans, or as many as there are, best first; with `noAnswer`, "no answer" is one more among them. */
  readonly nBest: readonly Answer[];
  /** The score of "no answer": the lowest of all windows. Only with `noAnswer`. */
  readonly noAnswerScore?: number;
  /** How many windows the context took; of a result so far, how many are done. */
  readonly windows: number;
}

/**
 * Answers a question from a context with a model that has a question answering head. One window is one forward pass, so an answer does not
 * depend on how windows would be batched. Throws `missing` without the head or a tokenizer, `invalid-argument` for bad
 * options, empty texts or what is not a text, `aborted`.
 */
export async function answer(
  model: BertModel,
  request: { readonly question: string; readonly context: string } & AnswerOptions,
): Promise<AnswerResult> {
  checkModel('answer', model);
  const { question, context, signal, onProgress } = request ?? ({} as typeof request);
  checkText('answer', 'question', question);
  checkText('answer', 'context', context);
  const options = checkedOptions(request);
  const pacer = new Pacer();
  await pacer.pause(signal);
  const tokenizer = await model.tokenizer();
  const maxLength = Math.min(options.maxLength, model.config.maxLength);
  const windows = await contextWindows(tokenizer, question, context, { ...options, maxLength }, pacer);

  const scored: ScoredWindow[] = [];
  const spans: Spans = new Map();
  const soFar = () => resultOf(scored, spans, context, { ...options, maxLength });
  for (const window of windows) {
    await pacer.pause(signal);
    const logits = await model.logits(modelInputs(model, [window]), { head: 'question-answering', signal });
    scored.push({ window, startLogits: logits.start_logits.data, endLogits: logits.end_logits.data });
    addSpans(spans, context, scored.at(-1)!, options);
    onProgress?.({ done: scored.length, total: windows.length }, soFar);
  }
  if (spans.size === 0) {
    for (const window of scored) {
      await pacer.pause(signal);
      addSpans(spans, context, window, everywhere({ ...options, maxLength }));
    }
  }
  await pacer.pause(signal);
  return soFar();
}

/** A window with what the model says of it. */
interface ScoredWindow {
  readonly window: ContextWindow;
  readonly startLogits: Float32Array;
  readonly endLogits: Float32Array;
}

type Span = Omit<Answer, 'probability'>;

/** By their place in the context. Windows overlap: a place in the context is one span with its best score. */
type Spans = Map<string, Span>;

/** The best starts can all be in the questions, or after the best ends; then every position is tried. */
function everywhere(options: SpanOptions & { readonly maxLength: number }): SpanOptions {
  return { ...options, candidates: options.maxLength };
}

function addSpans(spans: Spans, context: string, scored: ScoredWindow, options: SpanOptions): void {
  const { window, startLogits, endLogits } = scored;
  const inside = { begin: window.contextBegin, end: window.contextEnd };
  for (const { start: first, end: last, score } of bestSpans(startLogits, endLogits, inside, options)) {
    const [start, end] = [window.starts[first], window.ends[last]];
    // Byte-level BPE has tokens of blanks, which cover nothing: '' is no answer.
    if (start >= end) continue;
    const key = `${start} ${end}`;
    if (score <= (spans.get(key)?.score ?? Number.NEGATIVE_INFINITY)) continue;
    spans.set(key, { text: context.slice(start, end), start, end, score });
  }
}

/** The best answer of the windows that are scored, of which `found` are the spans. */
function resultOf(
  scored: readonly ScoredWindow[],
  found: Spans,
  context: string,
  options: SpanOptions & Required<Pick<AnswerOptions, 'nBest' | 'noAnswer' | 'noAnswerThreshold' | 'maxLength'>>,
): AnswerResult {
  let spans = found;
  if (spans.size === 0) {
    spans = new Map();
    for (const window of scored) addSpans(spans, context, window, everywhere(options));
  }
  const ranked = bestOf([...spans.values()], Math.max(options.candidates, options.nBest));
  let noAnswerScore = Number.POSITIVE_INFINITY;
  for (const { startLogits, endLogits } of scored) {
    noAnswerScore = Math.min(noAnswerScore, startLogits[0] + endLogits[0]);
  }
  return { ...choose(ranked, options.noAnswer ? noAnswerScore : undefined, options), windows: scored.length };
}

/** The `count` best spans, best first, and in the given order where they are equal. */
function bestOf(spans: readonly Span[], count: number): Span[] {
  let kept: Span[] = [];
  // Sorting a million spans of a long text takes a second; few spans are among the best, and the rest pass by here.
  let least = Number.NEGATIVE_INFINITY;
  const shrink = () => {
    kept = kept.sort((a, b) => b.score - a.score).slice(0, count);
    if (kept.length === count) least = kept[count - 1].score;
  };
  for (const span of spans) {
    if (span.score <= least) continue;
    kept.push(span);
    if (kept.length >= 2 * count) shrink();
  }
  shrink();
  return kept;
}

function choose(
  ranked: readonly Span[],
  noAnswerScore: number | undefined,
  { nBest, noAnswerThreshold }: { readonly nBest: number; readonly noAnswerThreshold: number },
): Omit<AnswerResult, 'windows'> {
  if (ranked.length === 0) {
    throw new PruneError('not-finite', { where: 'answer', what: 'the model gives no finite logit in the context' });
  }
  const none = noAnswerScore === undefined ? [] : [{ text: '', start: 0, end: 0, score: noAnswerScore }];
  const probabilities = softmax([...ranked, ...none].map(({ score }) => score));
  const scored = [...ranked, ...none].map((candidate, i) => ({ ...candidate, probability: probabilities[i] }));
  const [best, nothing] = [scored[0], scored[ranked.length]];
  const kept = [...scored.slice(0, Math.min(nBest, ranked.length)), ...scored.slice(ranked.length)];
  return {
    ...(nothing !== undefined && nothing.score > best.score + noAnswerThreshold ? nothing : best),
    nBest: kept.sort((a, b) => b.score - a.score),
    noAnswerScore,
  };
}

function checkedOptions(request: AnswerOptions) {
  const options = { ...DEFAULT_ANSWER_OPTIONS, ...withoutUndefined(request) };
  for (const name of ['nBest', 'maxAnswerLength', 'maxLength', 'stride', 'maxQuestionLength', 'candidates'] as const) {
    if (Number.isInteger(options[name]) && options[name] >= 1) continue;
    const got = String(options[name]);
    throw new PruneError('invalid-argument', { where: 'answer', what: name, got, wanted: 'an integer of at least 1' });
  }
  if (Number.isNaN(options.noAnswerThreshold)) {
    throw new PruneError('invalid-argument', {
      where: 'answer',
      what: 'noAnswerThreshold',
      got: 'NaN',
      wanted: 'a number',
    });
  }
  return options;
}

/** An explicit `undefined` means the default. */
function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
