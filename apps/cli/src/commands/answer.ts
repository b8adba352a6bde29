import { type Answer, type AnswerResult, answer, DEFAULT_ANSWER_OPTIONS } from '@prune/bert-infer';
import { escapeControls, type Progress, PruneError } from '@prune/core';
import type { Command } from 'commander';
import { type AnsweringFlags, answeringOptions } from '../answering-options.js';
import type { CommandContext } from '../command-context.js';
import { out, PLAIN } from '../console/colors.js';
import { formatCount, formatPercent } from '../console/format.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { inferenceOptions, MODEL_ARGUMENT, positiveInteger } from '../inference-options.js';
import { type InferenceOptions, withBert } from '../model/load-bert.js';
import { readText } from '../model/read-text.js';
import { modelArgument } from '../model-argument.js';
import { quietOption } from '../options.js';

interface AnswerFlags extends InferenceOptions, AnsweringFlags {
  question: string;
  context?: string;
  file?: string;
  nBest: number;
  unanswerable?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** `prune answer`: one question on one text. */
export function register(program: Command, { signal, sayWhenEnded }: CommandContext): void {
  const command = program
    .command('answer')
    .description('answer a question from a text, long texts in windows')
    .addArgument(modelArgument('<file>', MODEL_ARGUMENT))
    .requiredOption('--question <text>', 'the question')
    .option('--context <text>', 'the text that holds the answer')
    .option('--file <file>', 'the file that holds the text, UTF-8; - reads standard input')
    .option('--n-best <count>', 'how many candidates to give', positiveInteger, DEFAULT_ANSWER_OPTIONS.nBest)
    .option('--unanswerable', 'the text may hold no answer (SQuAD 2)')
    .addOption(quietOption())
    .option('--json', 'as JSON');
  for (const option of [...answeringOptions(), ...inferenceOptions()]) command.addOption(option);
  command.action(async (path: string, flags: AnswerFlags) => {
    const { question, unanswerable, threshold, ...options } = flags;
    const context = await contextOf(flags, signal);
    let windows = 0;
    let soFar: (() => AnswerResult) | undefined;
    const progress = progressBar('reading', flags.quiet);
    const onProgress = ({ done, total }: Progress, known: () => AnswerResult) => {
      windows = total;
      soFar = known;
      progress.total(total);
      progress.step(`window ${done}`);
    };
    sayWhenEnded(() => {
      progress.stop();
      return soFar && describePartial(soFar(), windows, flags.json ?? false);
    });
    const asked = {
      ...options,
      question,
      context,
      noAnswer: unanswerable,
      noAnswerThreshold: threshold,
      signal,
      onProgress,
    };
    const result = await withBert(path, { ...flags, signal }, (model) => answer(model, asked)).finally(progress.stop);
    if (flags.json) print(JSON.stringify(result, null, 2));
    else console.log(describe(result));
  });
}

/** The best answer of the windows that were done before a signal came. */
function describePartial(result: AnswerResult, windows: number, json: boolean): string {
  const done = result.windows;
  if (json) return JSON.stringify({ partial: true, windowsDone: done, ...result, windows }, null, 2);
  return `partial, ${formatCount(done)} of ${formatCount(windows)} windows\n${describe({ ...result, windows: 1 }, PLAIN)}`;
}

async function contextOf({ context, file, maxTextSize }: AnswerFlags, signal: AbortSignal): Promise<string> {
  if ((context === undefined) === (file === undefined)) {
    throw new PruneError('invalid-argument', { what: 'which text?', wanted: 'either --context or --file' });
  }
  return file === undefined ? (context ?? '') : readText(file, { maxTextSize, signal });
}

/** The answer alone on its line, what is known of it below; other candidates after it. */
function describe({ nBest, windows, ...best }: AnswerResult, colors = out): string {
  const others = nBest.filter(({ start, end }) => start !== best.start || end !== best.end);
  const lines = [best, ...others].map((candidate, i) => {
    const text = candidate.text === '' ? '(no answer)' : escapeControls(candidate.text);
    return `${i === 0 ? colors.bold(text) : text}\n  ${colors.dim(detailsOf(candidate))}`;
  });
  return [...lines, ...(windows > 1 ? [colors.dim(`${windows} windows`)] : [])].join('\n');
}

function detailsOf({ start, end, score, probability, text }: Answer): string {
  const place = text === '' ? '' : `, characters ${start} to ${end}`;
  return `${formatPercent(probability)}, score ${score.toFixed(2)}${place}`;
}
