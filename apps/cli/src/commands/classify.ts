import { type BertModel, classify, classifyTokens, type LabelScore, type TokenLabel } from '@prune/bert-infer';
import { PruneError } from '@prune/core';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatPercent } from '../console/format.js';
import { print } from '../console/print.js';
import { textTable } from '../console/table.js';
import { inferenceOptions, MODEL_ARGUMENT } from '../inference-options.js';
import { type InferenceOptions, withBert } from '../model/load-bert.js';
import { modelArgument } from '../model-argument.js';

interface ClassifyFlags extends InferenceOptions {
  pair?: string;
  truncate?: boolean;
  json?: boolean;
}

/** What the model's head makes of a text. */
type Classified = { readonly labels: LabelScore[] } | { readonly tokens: TokenLabel[] };

/** `prune classify`: the labels of a text, or of its tokens, as the model has the head. */
export function register(program: Command, { signal }: CommandContext): void {
  const command = program
    .command('classify')
    .description('the labels of a text, or of each of its tokens, where the model has the head')
    .addArgument(modelArgument('<file>', MODEL_ARGUMENT))
    .argument('<text>', 'the text')
    .option('--pair <text>', 'the second text, for a model of pairs')
    .option('--truncate', 'cut what is longer than the model instead of refusing it')
    .option('--json', 'as JSON');
  for (const option of inferenceOptions()) command.addOption(option);
  command.action(async (path: string, text: string, flags: ClassifyFlags) => {
    const result = await withBert(path, { ...flags, signal }, (model) => classified(model, text, flags, signal));
    print(flags.json ? JSON.stringify(result, null, 2) : describe(result));
  });
}

async function classified(
  model: BertModel,
  text: string,
  { pair, truncate }: ClassifyFlags,
  signal: AbortSignal,
): Promise<Classified> {
  if (!model.heads.includes('token-classification')) {
    return { labels: await classify(model, text, { pair, truncate, signal }) };
  }
  if (pair !== undefined) {
    throw new PruneError('invalid-argument', { what: 'the model labels tokens', got: '--pair', wanted: 'one text' });
  }
  return { tokens: await classifyTokens(model, text, { truncate, signal }) };
}

function describe(result: Classified): string {
  const right = { title: 'score', right: true };
  if ('labels' in result) {
    // A model of one label gives a number of its own, not a share.
    const shown = (score: number) => (result.labels.length === 1 ? score.toFixed(4) : formatPercent(score));
    const rows = result.labels.map(({ label, score }) => [label, shown(score)]);
    return textTable([{ title: 'label' }, right], rows);
  }
  const rows = result.tokens.map(({ text, label, score }) => [text, label, formatPercent(score)]);
  return textTable([{ title: 'token' }, { title: 'label' }, right], rows);
}
