import { mkdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '@prune/checkpoint/node';
import { DEFAULT_PACK_OPTIONS, packCheckpoint } from '@prune/pipeline';
import { createStore, openStore } from '@prune/pipeline/node';
import { type Elementary, firstDifference, PruneError, type TensorStore, writeStore } from '@prune/state-dict';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { CommandContext } from '../command-context.js';
import { formatBytes, formatCount, formatSeconds } from '../console/format.js';
import { progressBar } from '../console/progress.js';
import { checkExpected } from '../model/check-expected.js';
import { compareCheckpoint } from '../model/compare-checkpoint.js';
import { quietOption } from '../options.js';
import { comparisonTable } from './compare.js';

/** The repository's own model, as seen from `dist/`. */
const OWN_MODEL = fileURLToPath(new URL('../../../models/mini-qa', import.meta.url));

/** How the reader of the demo calls the command: from the repository it is not installed. */
const COMMAND = 'node apps/cli/bin/prune.js';

/** `prune demo`: the notebook's whole story on a real pruned model, every claim checked as it goes. */
export function register(program: Command, { signal }: CommandContext): void {
  program
    .command('demo')
    .description('the whole story on a real pruned model: quantize, write both stores, compare, read back, prove')
    .option('--model <dir>', "a model folder with PyTorch's expected-int8.json", OWN_MODEL)
    .option('-o, --output <dir>', 'the folder that the two files are left in', 'demo-output')
    .addOption(quietOption())
    .action(async ({ model, output, quiet }: { model: string; output: string; quiet?: boolean }) => {
      const story = narrator();
      const checkpoint = await openCheckpoint(model);
      const progress = progressBar('working', quiet);
      try {
        story.tell(`Read ${show(model)}, a fine-pruned BERT (${checkpoint.tensors.format}).`);

        const packed = packCheckpoint(checkpoint, DEFAULT_PACK_OPTIONS, progress.step);
        progress.total(packed.steps);
        const elementary = new Map<string, Elementary>();
        for await (const [name, value] of packed.entries) elementary.set(name, value);
        story.tell(`Quantized its ${formatCount(packed.steps)} modules and tensors to int8, each matrix as CSR.`);

        await mkdir(output, { recursive: true });
        const files = [join(output, 'mini-qa.h5'), join(output, 'mini-qa.prune')];
        for (const [i, store] of (['h5', 'msgpack'] as const).entries()) {
          const writer = await createStore(files[i], { store });
          await writeStore(writer, elementary, packed.metadata, { signal });
          story.tell(`Wrote ${show(files[i])}: ${formatBytes((await stat(files[i])).size)}, embeddings and all.`);
        }

        const rows = await compareCheckpoint(
          checkpoint,
          { ...DEFAULT_PACK_OPTIONS, exclude: ['embeddings'] },
          { signal },
        );
        story.tell('Compared what was pruned, encoder and head, in every form:');
        console.log(`\n${indent(comparisonTable(rows))}\n`);

        await readBack(files, join(model, 'expected-int8.json'), story, signal);
        console.log(
          `\nBoth files are in ${show(output)}. Try next: ${pc.bold(`${COMMAND} inspect ${show(files[1])}`)}`,
        );
      } finally {
        progress.stop();
        await checkpoint.close();
      }
    });
}

/** Opens both files again and proves them equal to each other and to what PyTorch made. */
async function readBack(files: readonly string[], expected: string, story: Story, signal: AbortSignal): Promise<void> {
  const stores: TensorStore[] = [];
  try {
    for (const file of files) stores.push(await openStore(file));
    const difference = await firstDifference(stores[0], stores[1], { signal });
    if (difference !== undefined) {
      throw new PruneError('mismatch', { where: files.join(' and '), what: difference.what, tensor: difference.name });
    }
    story.tell(`Read both back: all ${formatCount([...stores[0].keys()].length)} entries equal, bit for bit.`);
    for (const [i, store] of stores.entries()) {
      const matrices = await checkExpected(store, expected);
      story.tell(`${show(files[i])}: all ${matrices} matrices are PyTorch's (scale, zero point, nonzeros, SHA-256).`);
    }
  } finally {
    for (const store of stores) await store.close();
  }
}

interface Story {
  /** One finished step, with the seconds that it took. */
  tell(text: string): void;
}

function narrator(): Story {
  let last = performance.now();
  return {
    tell(text) {
      const now = performance.now();
      console.log(`${pc.green('✓')} ${text} ${pc.dim(`(${formatSeconds((now - last) / 1000)})`)}`);
      last = now;
    },
  };
}

/** A path as a person in this folder would type it. */
function show(path: string): string {
  return relative('', path) || path;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
