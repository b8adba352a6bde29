import { stat } from 'node:fs/promises';
import { entriesOf, writeStore } from '@prune/core';
import { withNotebookDtypes } from '@prune/csr';
import { createStore, openStore, outputFiles, type StoreOptions } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatBytes } from '../console/format.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { openUrl } from '../model/open-url.js';
import { modelArgument } from '../model-argument.js';
import { forceOption, quietOption, storeOptions } from '../options.js';
import { claimOutput } from '../output/claim-output.js';

interface ConvertFlags extends StoreOptions {
  quiet?: boolean;
}

/** `prune convert`: any store to any store, entry by entry; nothing is dequantized on the way. */
export function register(program: Command, context: CommandContext): void {
  const { signal } = context;
  const command = program
    .command('convert')
    .description('copy a store into another one; the extension of OUT says which')
    .addArgument(modelArgument('<in>', 'a .prune or .h5 file, or file.prune#name; - reads standard input'))
    .argument('<out>', 'the file to write: .prune or .h5 (with metadata.json beside it)');
  for (const option of [...storeOptions(), forceOption(), quietOption()]) command.addOption(option);
  command.action(async (input: string, output: string, flags: ConvertFlags) => {
    const source = await openStore(input, { signal, openUrl });
    const progress = progressBar('converting', flags.quiet);
    try {
      const { force, streamed } = await claimOutput(await outputFiles(output, source.metadata, flags.store), {
        inputs: source.paths,
        force: flags.force,
        context,
      });
      progress.total([...source.keys()].length);
      const writer = await createStore(output, { ...flags, force });
      await writeStore(writer, entriesOf(withNotebookDtypes(source)), source.metadata, {
        signal,
        onEntry: progress.step,
      });
      progress.stop();
      if (!flags.quiet && !streamed) print(`${output}: ${formatBytes((await stat(output)).size)}`);
    } finally {
      progress.stop();
      await source.close();
    }
  });
}
