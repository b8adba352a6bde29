import { DEFAULT_COMPARE_MODELS_OPTIONS } from '@prune/bert-infer';
import { type ElementaryStateDict, escapeControls, firstDifference } from '@prune/core';
import { type OpenModel, openModel } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatCount } from '../console/format.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { EXIT } from '../console/run-command.js';
import { inferenceOptions, MODEL_ARGUMENT } from '../inference-options.js';
import type { InferenceOptions } from '../model/load-bert.js';
import { verifyLogits } from '../model/verify-logits.js';
import { quietOption } from '../options.js';

interface VerifyFlags extends InferenceOptions {
  logits?: boolean;
  quiet?: boolean;
}

/** `prune verify`: are two models the same, bit for bit? */
export function register(program: Command, { signal }: CommandContext): void {
  const command = program
    .command('verify')
    .description('compare two models tensor by tensor, bit for bit, whatever their forms')
    .argument('<a>', MODEL_ARGUMENT)
    .argument('<b>', 'the other one')
    .option(
      '--logits',
      'run both on 25 batches of 32 x 128 seeded random tokens instead, and compare every bit of the outputs',
    )
    .addOption(quietOption())
    .addHelpText(
      'after',
      '\nTwo stores are compared in the elementary form, anything with a checkpoint as float32 tensors.\n' +
        'Exit status: 0 equal, 1 different (the first difference is said), 2 could not compare.',
    );
  for (const option of inferenceOptions()) command.addOption(option);
  command.action(async (pathA: string, pathB: string, flags: VerifyFlags) => {
    if (flags.logits) return compareLogits(pathA, pathB, flags, signal);
    const a = await openModel(pathA, { signal });
    try {
      const b = await openModel(pathB, { signal });
      try {
        await verify(a, b, flags.quiet ?? false, signal);
      } finally {
        await b.close();
      }
    } finally {
      await a.close();
    }
  });
}

async function verify(a: OpenModel, b: OpenModel, quiet: boolean, signal: AbortSignal) {
  // The lowest stage that both have: two stores are not dequantized, so nothing between them can hide.
  const elementary = a.store !== undefined && b.store !== undefined;
  const left: ElementaryStateDict = elementary ? a.store : await a.floats();
  const right: ElementaryStateDict = elementary ? b.store : await b.floats();
  const names = [...left.keys()];
  const progress = progressBar('comparing', quiet);
  progress.total(names.length);
  const difference = await firstDifference(left, right, { signal, onEqual: progress.step }).finally(progress.stop);
  if (difference !== undefined) {
    process.exitCode = EXIT.different;
    print(`different: ${escapeControls(difference.name)} ${difference.what} (first: ${a.path}, second: ${b.path})`);
  } else if (!quiet) {
    print(`equal: ${formatCount(names.length)} ${elementary ? 'entries' : 'tensors'}, bit for bit`);
  }
}

/** The notebook's own sanity check: equal weights are one thing, equal answers another. */
async function compareLogits(pathA: string, pathB: string, flags: VerifyFlags, signal: AbortSignal) {
  const progress = progressBar('comparing', flags.quiet);
  const { batches } = DEFAULT_COMPARE_MODELS_OPTIONS;
  progress.total(batches);
  const options = { signal, onProgress: () => progress.step('logits') };
  const difference = await verifyLogits(pathA, pathB, flags, options).finally(progress.stop);
  if (difference !== undefined) {
    process.exitCode = EXIT.different;
    const { batch, output, what } = difference;
    print(`different: batch ${batch}, ${output}: ${what} (first: ${pathA}, second: ${pathB})`);
  } else if (!flags.quiet) print(`equal: the outputs for ${batches} batches, bit for bit`);
}
