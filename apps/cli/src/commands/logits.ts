import type { ModelInputs } from '@prune/bert-infer';
import { type JsonObject, PruneError } from '@prune/core';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { float32Json } from '../console/float32-json.js';
import { print } from '../console/print.js';
import { inferenceOptions, MODEL_ARGUMENT } from '../inference-options.js';
import { type InferenceOptions, withBert } from '../model/load-bert.js';
import { readJson } from '../model/read-json.js';
import { modelArgument } from '../model-argument.js';

interface LogitsFlags extends InferenceOptions {
  input: string;
  hiddenStates?: boolean;
  skipPadding?: boolean;
  json?: boolean;
}

/** `prune logits`: what a head computes for given token ids, for people who check a port against another implementation. */
export function register(program: Command, { signal }: CommandContext): void {
  const command = program
    .command('logits')
    .description("a head's logits for given token ids, every float32 printed so that it reads back exactly")
    .addArgument(modelArgument('<file>', MODEL_ARGUMENT))
    .requiredOption(
      '--input <file>',
      '{"input_ids": [[..]], "attention_mask": [[..]], "token_type_ids": [[..]]}; - is stdin',
    )
    .option('--hidden-states', "every layer's output too")
    .option('--skip-padding', 'do not compute padded tokens; their outputs are 0')
    .option('--json', 'as JSON on one line; without it a line for each output')
    .addHelpText(
      'after',
      '\nPadded tokens are computed, as PyTorch does it: its range of an activation tensor spans them, so they move the\n' +
        'quantized results of all tokens a little. Everywhere else in prune they are skipped.',
    );
  for (const option of inferenceOptions()) command.addOption(option);
  command.action(async (path: string, flags: LogitsFlags) => {
    const inputs = inputsOf(await readJson(flags.input, { ...flags, signal }), flags.input);
    const padding = flags.skipPadding ? 'skip' : 'compute';
    const outputs = await withBert(path, { ...flags, signal }, async (model) => {
      const found = new Map<string, string>();
      // A model without a head has hidden states alone.
      if (model.heads.length > 0) {
        for (const [name, value] of Object.entries(await model.logits(inputs, { padding, signal }))) {
          if (typeof value === 'object') found.set(name, float32Json(value.data, value.shape));
        }
      }
      if (flags.hiddenStates || model.heads.length === 0) {
        const states = await model.hiddenStates(inputs, { padding, signal });
        found.set('hidden_states', `[${states.map(({ data, shape }) => float32Json(data, shape)).join(',')}]`);
      }
      return found;
    });
    const fields = [...outputs].map(([name, json]) => `${JSON.stringify(name)}: ${json}`);
    print(flags.json ? `{${fields.join(', ')}}` : `{${fields.join(',\n ')}}`);
  });
}

/** The rows are checked by the model itself. */
function inputsOf(json: unknown, where: string): ModelInputs {
  if (typeof json !== 'object' || json === null || !('input_ids' in json)) {
    throw new PruneError('invalid-argument', {
      where,
      what: 'not inputs of a model',
      wanted: '{"input_ids": [[..]], ..}',
    });
  }
  const { input_ids, attention_mask, token_type_ids } = json as JsonObject;
  return { input_ids, attention_mask, token_type_ids } as ModelInputs;
}
