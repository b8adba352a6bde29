import { stat } from 'node:fs/promises';
import { bundleFiles, modelAddress } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatBytes } from '../console/format.js';
import { print } from '../console/print.js';
import { openUrl } from '../model/open-url.js';
import { baseOption, forceOption, quietOption } from '../options.js';
import { claimOutput } from '../output/claim-output.js';

interface BundleFlags {
  output: string;
  names?: readonly string[];
  base?: string;
  force?: boolean;
  quiet?: boolean;
}

/** `prune bundle`: several models in one file, what they share once. */
export function register(program: Command, context: CommandContext): void {
  program
    .command('bundle')
    .description('put models of .prune files into one file, which holds what they share once')
    .argument('<file...>', '.prune files, or models of files that have several: both.prune#qa')
    .requiredOption('-o, --output <file>', 'the .prune file to write')
    .option(
      '--names <names>',
      'names of the models, e.g. qa,embed (default: as they were, or after their files)',
      (text) => text.split(','),
    )
    .addOption(baseOption())
    .addOption(forceOption())
    .addOption(quietOption())
    .addHelpText('after', '\nA model of the new file is named after a #: prune answer both.prune#qa ...')
    .action(async (inputs: string[], { output, names, base, force: forced, quiet }: BundleFlags) => {
      const bases = base === undefined ? [] : [base];
      const addresses = await Promise.all(inputs.map(modelAddress));
      const read = [...addresses.map(({ file }) => file), ...bases];
      const { force } = await claimOutput([output], { inputs: read, force: forced, context });
      await bundleFiles(output, inputs, { names, bases, force, openUrl, signal: context.signal });
      if (!quiet) print(`${output}: ${formatBytes((await stat(output)).size)}`);
    });
}
