import { stat } from 'node:fs/promises';
import { applyMovementPruning, type MovementPruningOptions } from '@prune/checkpoint';
import { type OpenCheckpoint, openCheckpoint, openStagedCheckpoint } from '@prune/checkpoint/node';
import { PruneError, writeStore } from '@prune/core';
import {
  type PackableCheckpoint,
  type PackedCheckpoint,
  type PackOptions,
  packCheckpoint,
  packQuantized,
} from '@prune/model-files';
import { createStore, outputFiles, type StoreOptions } from '@prune/model-files/node';
import type { Command, Option } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatBytes, formatSeconds } from '../console/format.js';
import { note } from '../console/note.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { completedCheckpoint } from '../model/completed-checkpoint.js';
import { openPackable } from '../model/open-packable.js';
import { openUrl } from '../model/open-url.js';
import { type EmbeddingSizes, smallerEmbeddings } from '../model/smaller-embeddings.js';
import { modelArgument } from '../model-argument.js';
import {
  baseOption,
  forceOption,
  packOptions,
  pruningOptions,
  quietOption,
  stateDictOption,
  storeOptions,
} from '../options.js';
import { claimOutput } from '../output/claim-output.js';

interface PackFlags extends PackOptions, StoreOptions {
  output: string;
  embeddingsFrom?: string;
  pruningMethod?: MovementPruningOptions['method'];
  pruningThreshold?: number;
  stateDict?: string;
  quiet?: boolean;
}

const UNKNOWN_ARCHITECTURE =
  'the architecture is not known: every 2-D weight that is no embedding table is taken for a Linear and quantized';

/** What has no meaning for a model that is quantized already. */
const QUANTIZING_OPTIONS: ReadonlySet<string> = new Set([
  'exclude',
  'perChannel',
  'embeddings',
  'embeddingsFrom',
  'pruningMethod',
  'pruningThreshold',
]);

/**
 * `prune pack`: checkpoint -> quantized -> elementary -> one file. A model that is quantized already joins on the way.
 */
export function register(program: Command, context: CommandContext): void {
  const { signal } = context;
  const command = program
    .command('pack')
    .description('quantize a checkpoint to int8, keep each matrix as CSR, and write it to one file')
    .addArgument(
      modelArgument('<checkpoint>', 'a model folder, or a .safetensors, .bin, .pt or .onnx file, gzipped or not'),
    )
    .requiredOption('-o, --output <file>', 'the file to write: .prune or .h5');
  command.option(
    '--embeddings-from <model_dir>',
    'a model folder whose embeddings and tokenizer are packed where the checkpoint has none',
  );
  for (const option of [
    ...storeOptions(),
    ...packOptions(),
    ...pruningOptions(),
    stateDictOption(),
    baseOption(),
    forceOption(),
    quietOption(),
  ])
    command.addOption(option);
  command.action(async (path: string, flags: PackFlags) => {
    const start = performance.now();
    const checkpoint = await openPackable(openStagedCheckpoint, path, { signal, stateDict: flags.stateDict });
    for (const text of checkpoint.notes) note(flags.quiet, text);
    const progress = progressBar('packing', flags.quiet);
    let other: OpenCheckpoint | undefined;
    try {
      const given = (option: string) => command.getOptionValueSource(option) === 'cli';
      let floats: PackableCheckpoint | undefined;
      let packed: PackedCheckpoint;
      if (checkpoint.stage === 'float') {
        if (flags.embeddingsFrom !== undefined) other = await openCheckpoint(flags.embeddingsFrom, { signal });
        floats = pruned(other === undefined ? checkpoint : completedCheckpoint(checkpoint, other), flags);
        packed = packCheckpoint(floats, flags, progress.step);
      } else {
        refuseQuantizing(path, command.options, given);
        packed = packQuantized(checkpoint, { profile: given('profile') ? flags.profile : undefined }, progress.step);
      }
      progress.total(packed.steps);
      if (!packed.architectureKnown) note(flags.quiet, UNKNOWN_ARCHITECTURE);
      const bases = flags.base === undefined ? [] : [flags.base];
      const inputs = [...checkpoint.paths, ...(other?.paths ?? []), ...bases];
      const claim = { inputs, force: flags.force, context };
      const { force, streamed } = await claimOutput(
        await outputFiles(flags.output, packed.metadata, flags.store),
        claim,
      );
      const writer = await createStore(flags.output, { ...flags, force, openUrl, signal });
      await writeStore(writer, packed.entries, packed.metadata, { signal });
      progress.stop();
      if (!flags.quiet && flags.embeddings !== 'f32' && floats !== undefined) {
        const smaller = await smallerEmbeddings(floats, { ...flags, signal });
        if (smaller !== undefined) note(false, roundedTables(smaller, flags.embeddings));
      }
      if (!flags.quiet && !streamed) {
        const { size } = await stat(flags.output);
        const seconds = (performance.now() - start) / 1000;
        print(`${flags.output}: ${formatBytes(size)} in ${formatSeconds(seconds)}`);
      }
    } finally {
      progress.stop();
      await other?.close();
      await checkpoint.close();
    }
  });
}

/** Throws `invalid-argument` for an option that would quantize what is quantized already. */
function refuseQuantizing(path: string, options: readonly Option[], given: (option: string) => boolean): void {
  const useless = options.find(
    (option) => QUANTIZING_OPTIONS.has(option.attributeName()) && given(option.attributeName()),
  );
  if (useless === undefined) return;
  const what = 'the model is quantized already, its integers are kept';
  throw new PruneError('invalid-argument', { where: path, what, got: useless.long });
}

function roundedTables({ name, chosen, floats }: EmbeddingSizes, chosenName: string): string {
  const sizes = `about ${formatBytes(Math.round(floats))} instead of ${formatBytes(Math.round(chosen))}`;
  return `${name} is rounded already: --embeddings f32 is exact and smaller than ${chosenName}, ${sizes} for this table`;
}

/** The checkpoint with its saved scores applied, where a method is named. */
function pruned(
  checkpoint: Pick<OpenCheckpoint, 'name' | 'tensors' | 'metadata'>,
  { pruningMethod: method, pruningThreshold: threshold }: PackFlags,
): PackableCheckpoint {
  if (method === undefined) {
    const scores = [...checkpoint.tensors.keys()].find((name) => /(^|\.)mask_scores$/.test(name));
    if (scores !== undefined) {
      throw new PruneError('invalid-argument', {
        what: 'the checkpoint has scores of movement pruning, its weights are not pruned yet',
        wanted: '--pruning-method and --pruning-threshold, as it was trained with',
        tensor: scores,
      });
    }
    if (threshold === undefined) return checkpoint;
    throw new PruneError('invalid-argument', {
      what: '--pruning-threshold without its method',
      wanted: '--pruning-method',
    });
  }
  const { name, tensors, metadata } = checkpoint;
  const masked = applyMovementPruning(tensors, { method, threshold });
  return { name, tensors: { ...masked, info: (tensor) => tensors.info(tensor) }, metadata };
}
