import { embed, TEXTS_AT_ONCE } from '@prune/bert-infer';
import { isPruneError } from '@prune/core';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { float32Json } from '../console/float32-json.js';
import { flushed } from '../console/flushed.js';
import { progressBar } from '../console/progress.js';
import { inferenceOptions, MODEL_ARGUMENT } from '../inference-options.js';
import { type InferenceOptions, withBert } from '../model/load-bert.js';
import { nameText } from '../model/name-text.js';
import { readTexts } from '../model/read-texts.js';
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
    .description(
      'sentence embeddings: as the sentence-transformers folder of the model says, else the mean of the last layer',
    )
    .addArgument(modelArgument('<file>', MODEL_ARGUMENT))
    .argument('[texts...]', 'the texts')
    .option('--file <file>', 'a file with one text a line, none of them blank; - reads standard input')
    .option('--normalize', 'scale each embedding to length 1')
    .option('--truncate', 'cut what is longer than the model instead of refusing it')
    .addOption(quietOption())
    .option('--json', 'as JSON: {"embeddings": [[..], ..]}; without it one JSON list a line');
  for (const option of inferenceOptions()) command.addOption(option);
  command.action(async (path: string, given: string[], flags: EmbedFlags) => {
    const texts = await readTexts(given, flags.file, { ...flags, signal });
    const { normalize, truncate, quiet, json = false } = flags;
    // On a terminal the rows of many texts show the progress, and a bar would be drawn into them.
    const rowsShow = process.stdout.isTTY && texts.length > TEXTS_AT_ONCE;
    const progress = progressBar('embedding', quiet || rowsShow);
    progress.total(texts.length);
    const printed = printedRows(json);
    /** The rows of the group that runs. */
    let rows: string[] = [];
    sayWhenEnded(() => {
      progress.stop();
      return printed.ending(rows);
    });
    try {
      await withBert(path, { ...flags, signal }, async (model) => {
        // The groups in which `embed` cuts batches: the same bits as one call with all texts, in less memory.
        for (let first = 0; first < texts.length; first += TEXTS_AT_ONCE) {
          const group = texts.slice(first, first + TEXTS_AT_ONCE);
          const onProgress = (_: unknown, soFar: () => (Float32Array | undefined)[]) => {
            for (const [place, vector] of soFar().entries()) {
              if (vector === undefined || rows[place] !== undefined) continue;
              rows[place] = float32Json(vector, [vector.length]);
              progress.step(group[place].slice(0, 30));
            }
          };
          await embed(model, group, { normalize, truncate, signal, onProgress }).catch((error) => {
            throw nameText(error, first, given, flags.file);
          });
          if (first + group.length === texts.length) progress.stop();
          printed.print(rows);
          rows = [];
          await flushed(signal);
        }
      }).finally(progress.stop);
    } catch (error) {
      // JSON that has begun ends as JSON. What a signal leaves is printed by `sayWhenEnded`.
      if (json && printed.begun() && !isPruneError(error, 'aborted')) process.stdout.write(`${printed.ending([])}\n`);
      throw error;
    }
    if (json) process.stdout.write(']}\n');
  });
}

/** Rows on stdout, printed as they come, so that many texts need little memory. They are numbers: nothing to escape. */
function printedRows(json: boolean) {
  let begun = false;
  const textOf = (rows: readonly string[]) => {
    if (!json) return rows.join('\n');
    return `${begun ? ',' : '{"embeddings":['}${begun ? '\n' : ''}${rows.join(',\n')}`;
  };
  return {
    begun: () => begun,
    print(rows: readonly string[]) {
      process.stdout.write(json ? textOf(rows) : `${textOf(rows)}\n`);
      begun = true;
    },
    /** What is left to print when the work stops: `null` stands for a text that has not run before one that has. */
    ending(rows: readonly (string | undefined)[]): string | undefined {
      const known = Array.from(rows, (row) => row ?? 'null');
      if (json) return `${known.length > 0 || !begun ? textOf(known) : ''}],"partial":true}`;
      return known.length > 0 || begun ? textOf(known) : undefined;
    },
  };
}
