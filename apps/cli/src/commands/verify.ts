import { DEFAULT_COMPARE_MODELS_OPTIONS } from '@prune/bert-infer';
import { escapeControls, firstDifference } from '@prune/core';
import { withNotebookDtypes } from '@prune/csr';
import { type OpenModel, openModel } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatCount } from '../console/format.js';
import { print } from '../console/print.js';
import { type Progress, progressBar } from '../console/progress.js';
import { EXIT } from '../console/run-command.js';
import { inferenceOptions, MODEL_ARGUMENT } from '../inference-options.js';
import type { InferenceOptions } from '../model/load-bert.js';
import { openUrl } from '../model/open-url.js';
import { verifyLogits } from '../model/verify-logits.js';
import { modelArgument } from '../model-argument.js';
import { quietOption } from '../options.js';

interface VerifyFlags extends InferenceOptions {
  logits?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** What `--json` prints. */
interface Verdict {
  readonly equal: boolean;
  /** `entries` of two stores, `tensors` where one is a checkpoint, or `logits`, which are counted by batches. */
  readonly compared: 'entries' | 'tensors' | 'logits';
  /** How many were compared and found equal. */
  readonly count: number;
  /** Where the models differ first. */
  readonly difference?: Readonly<Record<string, string | number>>;
}

/** `prune verify`: are two models the same, bit for bit? */
export function register(program: Command, context: CommandContext): void {
  const { signal } = context;
  const command = program
    .command('verify')
    .description('compare two models tensor by tensor, bit for bit, whatever their forms')
    .addArgument(modelArgument('<a>', MODEL_ARGUMENT))
    .addArgument(modelArgument('<b>', 'the other one'))
    .option(
      '--logits',
      'run both on 25 batches of 32 x 128 seeded random tokens instead, and compare every bit of the outputs',
    )
    .addOption(quietOption())
    .option('--json', 'as JSON: {"equal": true, "compared": "entries", "count": 399}')
    .addHelpText(
      'after',
      '\nTwo stores are compared in the elementary form, anything with a checkpoint as float32 tensors.\n' +
        'Exit status: 0 equal, 1 different (the first difference is said), 2 could not compare.',
    );
  for (const option of inferenceOptions()) command.addOption(option);
  command.action(async (pathA: string, pathB: string, flags: VerifyFlags) => {
    if (flags.logits) return compareLogits(pathA, pathB, flags, context);
    const a = await openModel(pathA, { signal, openUrl });
    try {
      const b = await openModel(pathB, { signal, openUrl });
      try {
        await verify(a, b, flags, context);
      } finally {
        await b.close();
      }
    } finally {
      await a.close();
    }
  });
}

async function verify(a: OpenModel, b: OpenModel, { quiet, json }: VerifyFlags, context: CommandContext) {
  // The lowest stage that both have: two stores are not dequantized, so nothing between them can hide.
  const elementary = a.store !== undefined && b.store !== undefined;
  const left = elementary ? withNotebookDtypes(a.store) : await a.floats();
  const right = elementary ? withNotebookDtypes(b.store) : await b.floats();
  const names = [...left.keys()];
  const compared = elementary ? 'entries' : 'tensors';
  const progress = progressBar('comparing', quiet);
  progress.total(names.length);
  const count = countSteps(progress, compared, names.length, { quiet, json }, context);
  const { signal } = context;
  const difference = await firstDifference(left, right, { signal, onEqual: count.step }).finally(progress.stop);
  if (difference === undefined) return sayEqual({ compared, count: names.length }, { quiet, json });
  const { name, what } = difference;
  sayDifferent(
    { compared, count: count.done(), difference: { name, what } },
    `${escapeControls(name)} ${what} (first: ${a.path}, second: ${b.path})`,
    json,
  );
}

/** The notebook's own sanity check: equal weights are one thing, equal answers another. */
async function compareLogits(pathA: string, pathB: string, flags: VerifyFlags, context: CommandContext) {
  const progress = progressBar('comparing', flags.quiet);
  const { batches } = DEFAULT_COMPARE_MODELS_OPTIONS;
  progress.total(batches);
  const count = countSteps(progress, 'logits', batches, flags, context);
  const { signal } = context;
  const options = { signal, onProgress: () => count.step('logits') };
  const inference = { ...flags, signal };
  const difference = await verifyLogits(pathA, pathB, inference, options).finally(progress.stop);
  if (difference === undefined) return sayEqual({ compared: 'logits', count: batches }, flags);
  const { batch, output, what } = difference;
  sayDifferent(
    { compared: 'logits', count: count.done(), difference: { batch, output, what } },
    `batch ${batch}, ${output}: ${what} (first: ${pathA}, second: ${pathB})`,
    flags.json,
  );
}

/** Counts what was found equal, for the bar and for the result so far. */
function countSteps(
  progress: Progress,
  compared: Verdict['compared'],
  total: number,
  { quiet, json }: Pick<VerifyFlags, 'quiet' | 'json'>,
  { sayWhenEnded }: CommandContext,
) {
  let done = 0;
  sayWhenEnded(() => {
    if (json) return JSON.stringify({ partial: true, compared, count: done });
    return quiet ? undefined : `partial: the first ${formatCount(done)} of ${formatCount(total)} ${compared} are equal`;
  });
  return {
    done: () => done,
    step(name: string) {
      done++;
      progress.step(name);
    },
  };
}

function sayEqual({ compared, count }: Omit<Verdict, 'equal'>, { quiet, json }: Pick<VerifyFlags, 'quiet' | 'json'>) {
  const verdict: Verdict = { equal: true, compared, count };
  if (json) print(JSON.stringify(verdict));
  else if (!quiet) {
    const what = compared === 'logits' ? `the outputs for ${count} batches` : `${formatCount(count)} ${compared}`;
    print(`equal: ${what}, bit for bit`);
  }
}

function sayDifferent(verdict: Omit<Verdict, 'equal'>, text: string, json: boolean | undefined) {
  process.exitCode = EXIT.different;
  print(json ? JSON.stringify({ equal: false, ...verdict }) : `different: ${text}`);
}
