import { embed } from '@prune/bert-infer';
import { PruneError } from '@prune/core';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { float32Json } from '../console/float32-json.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { inferenceOptions, MODEL_ARGUMENT } from '../inference-options.js';
import { type InferenceOptions, withBert } from '../model/load-bert.js';
import { readText } from '../model/read-text.js';
import { modelArgument } from '../model-argument.js';
import { quietOption } from '../options.js';

interface EmbedFlags extends InferenceOptions {
  file?: string;
  normalize?: boolean;
  truncate?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** `prune embed`: mean-pooled sentence embeddings. */
export function register(program: Command, { signal, sayWhenEnded }: CommandContext): void {
  const command = program
    .command('embed')
    .description('sentence embeddings: the mean of the last layer over all tokens')
    .addArgument(modelArgument('<file>', MODEL_ARGUMENT))
    .argument('[texts...]', 'the texts')
    .option('--file <file>', 'a file with one text a line, none of them blank; - reads standard input')
    .option('--normalize', 'scale each embedding to length 1')
    .option('--truncate', 'cut what is longer than the model instead of refusing it')
    .addOption(quietOption())
    .option('--json', 'as JSON: {"embeddings": [[..], ..]}; without it one JSON list a line');
  for (const option of inferenceOptions()) command.addOption(option);
  command.action(async (path: string, given: string[], flags: EmbedFlags) => {
    const texts = [
      ...given,
      ...(flags.file === undefined ? [] : linesOf(await readText(flags.file, signal), flags.file)),
    ];
    if (texts.length === 0) throw new PruneError('invalid-argument', { what: 'no text', wanted: 'a text or --file' });
    const { normalize, truncate } = flags;
    const progress = progressBar('embedding', flags.quiet);
    progress.total(texts.length);
    const rows: string[] = [];
    sayWhenEnded(() => {
      if (flags.json) return `{"partial":true,"embeddings":[${rows.join(',\n')}]}`;
      return rows.length === 0 ? undefined : rows.join('\n');
    });
    await withBert(path, { ...flags, signal }, async (model) => {
      for (const text of texts) {
        const vector = await embed(model, text, { normalize, truncate, signal });
        rows.push(float32Json(vector, [vector.length]));
        progress.step(text.slice(0, 30));
      }
    }).finally(progress.stop);
    print(flags.json ? `{"embeddings":[${rows.join(',\n')}]}` : rows.join('\n'));
  });
}

/** The lines of a file, so that its n-th line gives the n-th vector. Throws `invalid-argument` for a blank line, which has none. */
function linesOf(text: string, file: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const blank = lines.findIndex((line) => line.trim() === '');
  if (blank === -1) return lines;
  const where = file === '-' ? 'standard input' : file;
  throw new PruneError('invalid-argument', { where, what: `line ${blank + 1} is blank`, wanted: 'one text a line' });
}
