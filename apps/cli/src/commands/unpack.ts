import { join } from 'node:path';
import { checkpointFolderFiles, writeCheckpointFolder } from '@prune/checkpoint/node';
import { openModel } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { progressBar } from '../console/progress.js';
import { openUrl } from '../model/open-url.js';
import { modelArgument } from '../model-argument.js';
import { forceOption, quietOption } from '../options.js';
import { claimOutput } from '../output/claim-output.js';

/** `prune unpack`: a store -> a folder that transformers loads. */
export function register(program: Command, context: CommandContext): void {
  const { signal } = context;
  program
    .command('unpack')
    .description('write a store back as dense float32 safetensors, in a folder that transformers loads')
    .addArgument(modelArgument('<file>', 'a .prune or .h5 file, or file.prune#name; - reads standard input'))
    .requiredOption('-o, --output <dir>', 'the folder to write into; made when it is not there')
    .addOption(forceOption())
    .addOption(quietOption())
    .action(async (path: string, flags: { output: string; force?: boolean; quiet?: boolean }) => {
      const model = await openModel(path, { signal, openUrl });
      const progress = progressBar('unpacking', flags.quiet);
      try {
        const { metadata, paths: inputs } = model;
        const targets = checkpointFolderFiles(metadata).map((name) => join(flags.output, name));
        const { force } = await claimOutput(targets, { inputs, force: flags.force, context });
        const tensors = await model.floats();
        progress.total([...tensors.keys()].length);
        await writeCheckpointFolder(
          flags.output,
          { tensors, metadata },
          { name: path, force, signal, onTensor: progress.step },
        );
      } finally {
        progress.stop();
        await model.close();
      }
    });
}
