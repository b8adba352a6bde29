import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '@prune/checkpoint';
import { entriesOf, PruneError, TOKENIZER_FILES } from '@prune/core';
import { atomicFile, writeWholeFile } from '@prune/core/node';
import { type OpenModel, openModel } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { type Progress, progressBar } from '../console/progress.js';
import { quietOption } from '../options.js';

/** `prune unpack`: a store -> a folder that transformers loads. */
export function register(program: Command, { signal }: CommandContext): void {
  program
    .command('unpack')
    .description('write a store back as dense float32 safetensors, in a folder that transformers loads')
    .argument('<file>', 'a .prune or .h5 file')
    .requiredOption('-o, --output <dir>', 'the folder to write into; made when it is not there')
    .addOption(quietOption())
    .action(async (path: string, flags: { output: string; quiet?: boolean }) => {
      const model = await openModel(path, { signal });
      const progress = progressBar('unpacking', flags.quiet);
      try {
        await unpack(model, flags.output, progress, signal);
      } finally {
        progress.stop();
        await model.close();
      }
    });
}

async function unpack(model: OpenModel, folder: string, progress: Progress, signal: AbortSignal) {
  checkFiles(model);
  const floats = await model.floats();
  progress.total([...floats.keys()].length);
  await mkdir(folder, { recursive: true });
  const sink = await atomicFile(join(folder, 'model.safetensors'));
  await writeSafetensors(sink, floats, { signal, onTensor: progress.step });
  const { config, files = new Map<string, Uint8Array>() } = model.metadata;
  if (config !== undefined) {
    await writeWholeFile(join(folder, 'config.json'), new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`));
  }
  for await (const [name, bytes] of entriesOf(files)) await writeWholeFile(join(folder, name), bytes);
}

/**
 * A store must not choose which files are written: those of a tokenizer alone, so neither a path nor somebody's
 * Makefile.
 */
function checkFiles({ path, metadata }: OpenModel): void {
  for (const name of metadata.files?.keys() ?? []) {
    if (TOKENIZER_FILES.includes(name)) continue;
    throw new PruneError('unsupported', {
      where: path,
      what: "holds a file that is not a tokenizer's",
      got: name,
      wanted: TOKENIZER_FILES.join(', '),
    });
  }
}
