import { type AnswerResult, DEFAULT_ANSWER_OPTIONS } from '@prune/bert-infer';
import {
  evaluateSquad,
  readSquad,
  type SquadDataset,
  type SquadEvaluation,
  type SquadScores,
} from '@prune/bert-infer/squad';
import { escapeControls, PruneError } from '@prune/core';
import type { Command } from 'commander';
import { type AnsweringFlags, answeringOptions } from '../answering-options.js';
import type { CommandContext } from '../command-context.js';
import { formatCount, formatSeconds } from '../console/format.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { inferenceOptions, MODEL_ARGUMENT, positiveInteger } from '../inference-options.js';
import { type AnswerComparison, compareAnswers, NEAR_TIE, predictionsOf } from '../model/compare-answers.js';
import { evaluateModel } from '../model/evaluate-model.js';
import { type InferenceOptions, withBert } from '../model/load-bert.js';
import { readJson } from '../model/read-json.js';
import { textOutputs } from '../model/text-outputs.js';
import { modelArgument } from '../model-argument.js';
import { forceOption, quietOption } from '../options.js';
import { claimOutput } from '../output/claim-output.js';

interface EvalFlags extends InferenceOptions, AnsweringFlags {
  limit?: number;
  against?: string;
  predictions?: string;
  examples?: string;
  force?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** `prune eval`: exact match and F1 on a SQuAD file, equal to the official script's. */
export function register(program: Command, context: CommandContext): void {
  const { signal, sayWhenEnded } = context;
  const command = program
    .command('eval')
    .description('exact match and F1 on a SQuAD 1.1 or 2.0 file, as the official scripts compute them')
    .addArgument(modelArgument('<file>', MODEL_ARGUMENT))
    .argument('<squad>', 'a SQuAD file, JSON')
    .option('--limit <count>', 'only the first questions', positiveInteger)
    .option('--against <file>', "another implementation's answers, {id: text}, to compare with")
    .option('--predictions <file>', 'write the answers as the official scripts read them')
    .option('--examples <file>', 'write every question with its answer and scores, one JSON object a line')
    .addOption(forceOption())
    .addOption(quietOption())
    .option('--json', 'as JSON, every example too');
  for (const option of [...answeringOptions(), ...inferenceOptions()]) command.addOption(option);
  command.action(async (path: string, squad: string, flags: EvalFlags) => {
    const whole = readSquad(await readJson(squad, { ...flags, signal }), squad);
    const dataset = { ...whole, examples: whole.examples.slice(0, flags.limit) };
    if (dataset.examples.length === 0) throw new PruneError('invalid-argument', { where: squad, what: 'no questions' });
    const against = flags.against === undefined ? undefined : await readJson(flags.against, { ...flags, signal });
    const { maxAnswerLength, maxLength, stride, threshold: noAnswerThreshold } = flags;
    const options = {
      maxAnswerLength,
      maxLength,
      stride,
      noAnswerThreshold,
      nBest: DEFAULT_ANSWER_OPTIONS.candidates,
      signal,
    };

    const inputs = [path, squad, flags.against, flags.embeddingsFrom, flags.config].filter(
      (file) => file !== undefined,
    );
    const targets = [flags.predictions, flags.examples].filter((file) => file !== undefined);
    await claimOutput(targets, { inputs, force: flags.force, context });
    const outputs = await textOutputs([flags.predictions, flags.examples]);
    try {
      const start = performance.now();
      const progress = progressBar('answering', flags.quiet);
      progress.total(dataset.examples.length);
      const soFar = new Map<string, AnswerResult>();
      const onAnswer = (id: string, answer: AnswerResult) => {
        soFar.set(id, answer);
        progress.step(id);
      };
      sayWhenEnded(() => {
        progress.stop();
        return describePartial(dataset, soFar, flags.json ?? false, (performance.now() - start) / 1000);
      });
      const { answers, evaluation, comparison } = await withBert(path, { ...flags, signal }, async (model) => {
        const found = await evaluateModel(model, dataset, options, onAnswer);
        if (against === undefined) return { ...found, comparison: undefined };
        const theirs = predictionsOf(against, model.profile, flags.against ?? '');
        return { ...found, comparison: compareAnswers(found.answers, theirs) };
      }).finally(progress.stop);
      const seconds = (performance.now() - start) / 1000;

      const examples = scoredExamples(dataset, answers, evaluation);
      const predictions = Object.fromEntries([...answers].map(([id, { text }]) => [id, text]));
      await outputs.write([
        `${JSON.stringify(predictions, null, 1)}\n`,
        examples.map((example) => `${JSON.stringify(example)}\n`).join(''),
      ]);
      if (flags.json) print(JSON.stringify({ ...summary(evaluation), seconds, comparison, examples }, null, 2));
      else {
        print([describe(evaluation, seconds), ...(comparison ? describeComparison(comparison) : [])].join('\n'));
      }
    } finally {
      await outputs.abort();
    }
  });
}

function scoredExamples(
  { examples }: SquadDataset,
  answers: ReadonlyMap<string, AnswerResult>,
  { scores }: SquadEvaluation,
) {
  return examples.map(({ id, question, answers: gold }) => {
    const { nBest: _, ...best } = answers.get(id) ?? {};
    return { id, question, gold, ...best, ...scores.get(id) };
  });
}

/** The scores of the questions that were answered before a signal came; `undefined` before the first answer. */
async function describePartial(
  { version, examples }: SquadDataset,
  answers: ReadonlyMap<string, AnswerResult>,
  json: boolean,
  seconds: number,
): Promise<string | undefined> {
  if (answers.size === 0) return undefined;
  const answered = { version, examples: examples.filter(({ id }) => answers.has(id)) };
  const evaluation = await evaluateSquad(answered, { get: (id) => answers.get(id)?.text });
  if (!json) {
    return `partial, ${answered.examples.length} of ${examples.length} questions\n${describe(evaluation, seconds)}`;
  }
  const scored = scoredExamples(answered, answers, evaluation);
  const counts = { partial: true, questions: examples.length };
  return JSON.stringify({ ...counts, ...summary(evaluation), seconds, examples: scored }, null, 2);
}

/** By the names of both official scripts: the one for SQuAD 1.1 says `exact_match`. */
function summary({ exact, f1, total, hasAnswer, noAnswer, unanswered }: SquadEvaluation) {
  return {
    exact_match: exact,
    exact,
    f1,
    total,
    ...(hasAnswer && { HasAns_exact: hasAnswer.exact, HasAns_f1: hasAnswer.f1, HasAns_total: hasAnswer.total }),
    ...(unanswered.length > 0 && { unanswered }),
    ...(noAnswer && { NoAns_exact: noAnswer.exact, NoAns_f1: noAnswer.f1, NoAns_total: noAnswer.total }),
  };
}

function describe({ hasAnswer, noAnswer, unanswered, ...all }: SquadEvaluation, seconds: number): string {
  const line = (what: string, { exact, f1, total }: SquadScores) =>
    `${what}exact match ${exact.toFixed(2)}, F1 ${f1.toFixed(2)} (${total} questions)`;
  return [
    `${line('', all)} in ${formatSeconds(seconds)}`,
    ...(hasAnswer ? [line('  with an answer: ', hasAnswer)] : []),
    ...(noAnswer ? [line('  without one: ', noAnswer)] : []),
    ...(unanswered.length > 0 ? [describeUnanswered(unanswered, noAnswer !== undefined)] : []),
  ].join('\n');
}

/**
 * Only a blank question is left unanswered. The official script for SQuAD 2 leaves it out, the other one counts it as
 * wrong.
 */
function describeUnanswered(ids: readonly string[], isLeftOut: boolean): string {
  const some = ids.slice(0, NAMED_QUESTIONS).map((id) => escapeControls(id));
  const rest = ids.length > some.length ? ` and ${formatCount(ids.length - some.length)} more` : '';
  return `  blank, so not answered (${isLeftOut ? 'left out' : 'counted as wrong'}): ${some.join(', ')}${rest}`;
}

/** How many of the questions that could not be asked are named. */
const NAMED_QUESTIONS = 10;

function describeComparison({ equal, nearTies, different }: AnswerComparison): string[] {
  const line = ({ id, ours, theirs, margin }: AnswerComparison['different'][number]) =>
    `  ${escapeControls(id)}: ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}, ` +
    (margin === undefined ? 'not among ours' : `${margin.toFixed(2)} behind`);
  return [
    `${equal} answers equal, ${nearTies.length} near ties (less than ${NEAR_TIE} apart), ${different.length} different`,
    ...[...nearTies, ...different].map(line),
  ];
}
