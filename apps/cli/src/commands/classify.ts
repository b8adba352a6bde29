import {
  type BertModel,
  classify,
  classifyTokens,
  type LabelScore,
  TEXTS_AT_ONCE,
  type TokenLabel,
} from '@prune/bert-infer';
import { escapeControls, locateError, PruneError } from '@prune/core';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatCount, formatPercent } from '../console/format.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { textTable } from '../console/table.js';
import { inferenceOptions, MODEL_ARGUMENT } from '../inference-options.js';
import { type InferenceOptions, withBert } from '../model/load-bert.js';
import { nameText } from '../model/name-text.js';
import { readTexts } from '../model/read-texts.js';
import { modelArgument } from '../model-argument.js';
import { quietOption } from '../options.js';

interface ClassifyFlags extends InferenceOptions {
  file?: string;
  pair?: string;
  truncate?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** What the model's head makes of a text. */
type Classified = { readonly labels: LabelScore[] } | { readonly tokens: TokenLabel[] };

/** Told of each text that is done: its place among the texts, and its labels. */
type OnText = (place: number, result: Classified) => void;

/** `prune classify`: the labels of texts, or of their tokens, as the model has the head. */
export function register(program: Command, { signal, sayWhenEnded }: CommandContext): void {
  const command = program
    .command('classify')
    .description('the labels of texts, or of each of their tokens, where the model has the head')
    .addArgument(modelArgument('<file>', MODEL_ARGUMENT))
    .argument('[texts...]', 'the texts')
    .option('--file <file>', 'a file with one text a line, none of them blank; - reads standard input')
    .option('--pair <text>', 'the second text, for a model of pairs; the same for all texts')
    .option('--truncate', 'cut what is longer than the model instead of refusing it')
    .addOption(quietOption())
    .option('--json', 'as JSON: the labels of one text, or {"texts": [{"text": .., "labels": [..]}, ..]}');
  for (const option of inferenceOptions()) command.addOption(option);
  command.action(async (path: string, given: string[], flags: ClassifyFlags) => {
    const texts = await readTexts(given, flags.file, { ...flags, signal });
    const progress = progressBar('classifying', flags.quiet);
    progress.total(texts.length);
    const results: Classified[] = [];
    const onText: OnText = (place, result) => {
      if (results[place] !== undefined) return;
      results[place] = result;
      progress.step(texts[place].slice(0, 30));
    };
    // The lines of a file can be one: the output must not depend on how many there are.
    const alone = given.length === 1 && flags.file === undefined;
    if (!alone) {
      sayWhenEnded(() => {
        progress.stop();
        return describePartial(texts, results, flags.json ?? false);
      });
    }
    const failed = (error: unknown, first: number): never => {
      throw nameText(error, first, given, flags.file);
    };
    const run = (model: BertModel) => classifyAll(model, texts, flags, signal, onText, failed);
    await withBert(path, { ...flags, signal }, run).finally(progress.stop);
    if (alone) print(flags.json ? JSON.stringify(results[0], null, 2) : describe(results[0]));
    else if (flags.json) print(JSON.stringify({ texts: withTexts(texts, results) }, null, 2));
    else print(describeAll(texts, results));
  });
}

async function classifyAll(
  model: BertModel,
  texts: readonly string[],
  { pair, truncate }: ClassifyFlags,
  signal: AbortSignal,
  onText: OnText,
  failed: (error: unknown, first: number) => never,
): Promise<void> {
  if (!model.heads.includes('token-classification')) {
    // The groups in which `classify` cuts batches: the same bits as one call with all texts, in less memory.
    for (let first = 0; first < texts.length; first += TEXTS_AT_ONCE) {
      const onProgress = (_: unknown, soFar: () => (LabelScore[] | undefined)[]) => {
        for (const [i, labels] of soFar().entries()) if (labels !== undefined) onText(first + i, { labels });
      };
      const group = texts.slice(first, first + TEXTS_AT_ONCE);
      const classifying = classify(model, group, { pair, truncate, signal, onProgress });
      await classifying.catch((error) => failed(error, first));
    }
    return;
  }
  if (pair !== undefined) {
    throw new PruneError('invalid-argument', { what: 'the model labels tokens', got: '--pair', wanted: 'one text' });
  }
  for (const [place, text] of texts.entries()) {
    const labelling = classifyTokens(model, text, { truncate, signal });
    const tokens = await labelling.catch((error) => failed(locateError(error, { text: 0 }), place));
    onText(place, { tokens });
  }
}

/** The texts that are done, each with its labels. */
function withTexts(texts: readonly string[], results: readonly Classified[]) {
  return texts.flatMap((text, place) => (results[place] === undefined ? [] : [{ text, ...results[place] }]));
}

/** The labels of the texts that were done before a signal came; `undefined` before the first one. */
function describePartial(texts: readonly string[], results: readonly Classified[], json: boolean): string | undefined {
  const done = withTexts(texts, results);
  if (done.length === 0) return undefined;
  if (json) return JSON.stringify({ partial: true, texts: done }, null, 2);
  return `partial, ${formatCount(done.length)} of ${formatCount(texts.length)} texts\n\n${describeAll(texts, results)}`;
}

function describeAll(texts: readonly string[], results: readonly Classified[]): string {
  return withTexts(texts, results)
    .map(({ text, ...result }) => `${escapeControls(text)}\n${describe(result).replace(/^/gm, '  ')}`)
    .join('\n\n');
}

function describe(result: Classified): string {
  const right = { title: 'score', right: true };
  if ('labels' in result) {
    // A model of one label gives a number of its own, not a share.
    const shown = (score: number) => (result.labels.length === 1 ? score.toFixed(4) : formatPercent(score));
    const rows = result.labels.map(({ label, score }) => [label, shown(score)]);
    return textTable([{ title: 'label' }, right], rows);
  }
  const rows = result.tokens.map(({ text, label, score }) => [text, label, formatPercent(score)]);
  return textTable([{ title: 'token' }, { title: 'label' }, right], rows);
}
