import { join } from 'node:path';
import { PYTORCH_LAYOUTS, type PytorchLayout } from '@prune/checkpoint';
import { PruneError } from '@prune/core';
import { openModel, UNPACKED_FORMS, type UnpackedForm, unpackedFiles, unpackModel } from '@prune/model-files/node';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.js';
import { progressBar } from '../console/progress.js';
import { openUrl } from '../model/open-url.js';
import { modelArgument } from '../model-argument.js';
import { forceOption, quietOption } from '../options.js';
import { claimOutput } from '../output/claim-output.js';

interface UnpackFlags {
  output: string;
  form: UnpackedForm;
  torchLayout?: PytorchLayout;
  floatTables?: boolean;
  force?: boolean;
  quiet?: boolean;
}

/** `prune unpack`: a store -> a folder with the model in a form that other tools load. */
export function register(program: Command, context: CommandContext): void {
  const { signal } = context;
  program
    .command('unpack')
    .description('write a store as a folder that other tools load: transformers, PyTorch, onnxruntime')
    .addArgument(modelArgument('<file>', 'a .prune or .h5 file, or file.prune#name; - reads standard input'))
    .requiredOption('-o, --output <dir>', 'the folder to write into; made when it is not there')
    .addOption(
      new Option('--form <form>', 'dense float32; the integers and scales as torch.save has them, or as an ONNX graph')
        .choices(UNPACKED_FORMS)
        .default(UNPACKED_FORMS[0]),
    )
    .addOption(new Option('--torch-layout <layout>', 'of the form torch').choices(PYTORCH_LAYOUTS))
    .option('--float-tables', 'of the form torch: quantized embedding tables become floats')
    .addOption(forceOption())
    .addOption(quietOption())
    .action(async (path: string, flags: UnpackFlags) => {
      checkFlags(flags);
      const model = await openModel(path, { signal, openUrl });
      const progress = progressBar('unpacking', flags.quiet);
      try {
        const { metadata, paths: inputs } = model;
        const targets = unpackedFiles(metadata, flags.form).map((name) => join(flags.output, name));
        const { force } = await claimOutput(targets, { inputs, force: flags.force, context });
        await unpackModel(flags.output, model, {
          form: flags.form,
          layout: flags.torchLayout,
          floatTables: flags.floatTables,
          name: path,
          force,
          signal,
          onEntry(name, count) {
            progress.total(count);
            progress.step(name);
          },
        });
      } finally {
        progress.stop();
        await model.close();
      }
    });
}

function checkFlags({ form, torchLayout, floatTables }: UnpackFlags): void {
  if (form === 'torch' || (torchLayout === undefined && !floatTables)) return;
  throw new PruneError('invalid-argument', {
    what: torchLayout === undefined ? '--float-tables' : '--torch-layout',
    got: `--form ${form}`,
    wanted: '--form torch',
  });
}
