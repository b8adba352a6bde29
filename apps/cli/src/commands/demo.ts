import { mkdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { DEFAULT_ANSWER_OPTIONS } from '@prune/bert-infer';
import { readSquad } from '@prune/bert-infer/squad';
import { openCheckpoint } from '@prune/checkpoint/node';
import {
  checkAborted,
  type Elementary,
  escapeControls,
  firstDifference,
  PruneError,
  type TensorStore,
  writeStore,
} from '@prune/core';
import { DEFAULT_PACK_OPTIONS, packCheckpoint } from '@prune/model-files';
import { createStore, openStore } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { out } from '../console/colors.js';
import { formatBytes, formatCount, formatSeconds } from '../console/format.js';
import { type Progress, progressBar } from '../console/progress.js';
import { checkExpected } from '../model/check-expected.js';
import { compareAnswers, predictionsOf } from '../model/compare-answers.js';
import { compareCheckpoint } from '../model/compare-checkpoint.js';
import { completedCheckpoint } from '../model/completed-checkpoint.js';
import { evaluateModel } from '../model/evaluate-model.js';
import { withBert } from '../model/load-bert.js';
import { nearestSentences } from '../model/nearest-sentences.js';
import { readJson } from '../model/read-json.js';
import { forceOption, quietOption } from '../options.js';
import { claimOutput } from '../output/claim-output.js';
import { comparisonTable } from './compare.js';

interface DemoFlags {
  model: string;
  output: string;
  all?: boolean;
  force?: boolean;
  quiet?: boolean;
}

/** What the table of the demo shows without `--all`: where one starts, and the best of each store. */
const SHOWN_FORMS: readonly string[] = ['dense float32', 'HDF5, gzip 9', 'msgpack, csr-gzip', 'msgpack, entropy, max'];

/** Near ties that are shown without `--all`. */
const SHOWN_TIES = 3;

/** Characters of a line that are shown without `--all`, so that a step takes one line of a terminal. */
const LINE_LENGTH = 80;

/** What is searched for among the sentences of mini-embed, and how many are shown. */
const QUERY = 'What do bishops wear?';
const NEAREST = 2;

/** How the reader of the demo calls the command: from the repository it is not installed. */
const COMMAND = 'node apps/cli/bin/prune.js';

/** `prune demo`: the notebook's whole story on a real pruned model, `ownModel`, every claim checked as it goes. */
export function register(program: Command, context: CommandContext, ownModel: string): void {
  const { signal } = context;
  program
    .command('demo')
    .description('the whole story on a real pruned model: quantize, write both stores, compare, read back, prove')
    .option('--model <dir>', "a model folder with PyTorch's expected-int8.json", ownModel)
    .option('-o, --output <dir>', 'the folder that the two files are left in', 'demo-output')
    .option('--all', 'every form in the table, and every answer that is not equal, instead of what fits on a screen')
    .addOption(forceOption())
    .addOption(quietOption())
    .action(async ({ model, output, all = false, force: replace, quiet }: DemoFlags) => {
      const story = narrator();
      const checkpoint = await openCheckpoint(model, { signal });
      const progress = progressBar('working', quiet);
      try {
        const files = [join(output, 'mini-qa.h5'), join(output, 'mini-qa.prune')];
        const sentenceFile = join(output, 'mini-embed.prune');
        const { force } = await claimOutput([...files, sentenceFile], {
          inputs: checkpoint.paths,
          force: replace,
          context,
        });
        await mkdir(output, { recursive: true }).catch((error) => {
          throw new PruneError('io', { where: output, what: error.message, cause: error });
        });
        story.tell(`Read ${show(model)}, a fine-pruned BERT (${checkpoint.tensors.format}).`);

        const packed = packCheckpoint(checkpoint, DEFAULT_PACK_OPTIONS, progress.step);
        progress.total(packed.steps);
        const elementary = new Map<string, Elementary>();
        for await (const [name, value] of packed.entries) {
          checkAborted(signal);
          elementary.set(name, value);
        }
        story.tell(`Quantized its ${formatCount(packed.steps)} modules and tensors to int8, each matrix as CSR.`);

        const sizes: string[] = [];
        for (const [i, store] of (['h5', 'msgpack'] as const).entries()) {
          const writer = await createStore(files[i], { store, force });
          await writeStore(writer, elementary, packed.metadata, { signal });
          sizes.push(`${basename(files[i])}, ${formatBytes((await stat(files[i])).size)}`);
        }

        story.tell(`Wrote ${sizes.join(', and ')}, with the embeddings.`);

        const rows = await compareCheckpoint(
          checkpoint,
          { ...DEFAULT_PACK_OPTIONS, exclude: ['embeddings'] },
          { signal },
        );
        story.tell(`Compared what was pruned, encoder and head, in ${rows.length} forms:`);
        console.log(indent(comparisonTable(all ? rows : rows.filter(({ form }) => SHOWN_FORMS.includes(form)))));

        await readBack(files, join(model, 'expected-int8.json'), story, signal);
        await answerQuestions(files[1], model, { all, quiet }, story, progress, signal);
        await searchSentences(sentenceFile, ownModel, story, { force, signal });
        console.log(`The files are in ${show(output)}. Try next:\n  ${out.bold(nextCommand(files[1]))}`);
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
    for (const file of files) stores.push(await openStore(file, { signal }));
    const difference = await firstDifference(stores[0], stores[1], { signal });
    if (difference !== undefined) {
      throw new PruneError('mismatch', { where: files.join(' and '), what: difference.what, tensor: difference.name });
    }
    let matrices = 0;
    for (const store of stores) matrices = await checkExpected(store, expected, signal);
    const entries = formatCount([...stores[0].keys()].length);
    story.tell(`Read both back: ${entries} equal entries, ${matrices} matrices that are PyTorch's.`);
  } finally {
    for (const store of stores) await store.close();
  }
}

/** Asks the packed file three questions, then all of the evaluation set, and holds the answers against PyTorch's. */
async function answerQuestions(
  file: string,
  model: string,
  { all, quiet }: { readonly all: boolean; readonly quiet?: boolean },
  story: Story,
  progress: Progress,
  signal: AbortSignal,
) {
  const squad = join(model, 'dev-squad.json');
  const dataset = readSquad(await readJson(squad, { signal }), squad);
  progress.total(dataset.examples.length);
  const { answers, evaluation, comparison } = await withBert(file, { signal, quiet }, async (bert) => {
    const options = { nBest: DEFAULT_ANSWER_OPTIONS.candidates, signal };
    const found = await evaluateModel(bert, dataset, options, progress.step);
    const predictions = predictionsOf(
      await readJson(join(model, 'dev-predictions.json'), { signal }),
      bert.profile,
      model,
    );
    return { ...found, comparison: compareAnswers(found.answers, predictions) };
  });
  story.tell(`Answered the ${dataset.examples.length} questions of dev-squad.json, for example:`);
  for (const { id, question } of all ? threeOf(dataset.examples) : firstShort(dataset.examples)) {
    console.log(`  ${escapeControls(question)} ${out.bold(escapeControls(answers.get(id)?.text ?? ''))}`);
  }
  const { results } = (await readJson(join(model, 'accuracy.json'), { signal })) as {
    results: Record<string, SquadAccuracy>;
  };
  const theirs = results['fbgemm.dev'];
  const { equal, nearTies, different } = comparison;
  const scores = `Exact ${evaluation.exact.toFixed(1)}, F1 ${evaluation.f1.toFixed(1)}`;
  const pytorch = `PyTorch ${theirs.exact_match.toFixed(1)}, ${theirs.f1.toFixed(1)}`;
  const others = different.length === 0 ? '' : `, ${different.length} others`;
  story.tell(`${scores} (${pytorch}): ${equal} equal, ${nearTies.length} near ties${others}.`);
  const shown = [...different, ...(all ? nearTies : nearTies.slice(0, SHOWN_TIES))];
  for (const { ours, theirs, margin } of shown) {
    const line = `  ${margin?.toFixed(2) ?? 'far'} apart: ${JSON.stringify(ours)}, PyTorch ${JSON.stringify(theirs)}`;
    console.log(out.dim(escapeControls(all ? line : cut(line))));
  }
  if (shown.length < different.length + nearTies.length) {
    console.log(
      out.dim(`  All ${different.length + nearTies.length}, and every form of the table: npm run demo -- --all`),
    );
  }
}

/**
 * Packs the repository's sentence-embedding model, whose embeddings and tokenizer are those of the model of this demo,
 * and searches its sentences.
 */
async function searchSentences(
  file: string,
  ownModel: string,
  story: Story,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
) {
  const folder = join(ownModel, '..', 'mini-embed');
  const encoder = await openCheckpoint(join(folder, 'encoder.safetensors.gz'), { signal });
  const embeddings = await openCheckpoint(ownModel, { signal });
  try {
    const { entries, metadata } = packCheckpoint(completedCheckpoint(encoder, embeddings));
    await writeStore(await createStore(file, { force }), entries, metadata, { signal });
  } finally {
    await encoder.close();
    await embeddings.close();
  }
  const sentences = (await readJson(join(folder, 'sentences.json'), { signal })) as readonly string[];
  // The model before has made the note.
  const found = await withBert(file, { signal, quiet: true }, (bert) =>
    nearestSentences(bert, QUERY, sentences, NEAREST, signal),
  );
  story.tell(`Searched ${sentences.length} sentences by ${basename(file)}: "${QUERY}"`);
  for (const { sentence, cosine } of found) {
    console.log(`  ${cosine.toFixed(2)} ${out.bold(escapeControls(cut(sentence)))}`);
  }
}

function cut(line: string): string {
  return line.length <= LINE_LENGTH ? line : `${line.slice(0, LINE_LENGTH - 3)}...`;
}

/** accuracy.json's figures of one engine. */
interface SquadAccuracy {
  readonly exact_match: number;
  readonly f1: number;
}

/** The first question that takes one line. */
function firstShort<T extends { readonly question: string }>(items: readonly T[]): T[] {
  return items.filter(({ question }) => question.length < LINE_LENGTH - 2).slice(0, 1);
}

/** One from the start, one from the middle, one from the end: of different paragraphs. */
function threeOf<T>(items: readonly T[]): T[] {
  return [0, Math.floor(items.length / 2), items.length - 1].map((at) => items[at]);
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
      console.log(`${out.green('✓')} ${escapeControls(text)} ${out.dim(`(${formatSeconds((now - last) / 1000)})`)}`);
      last = now;
    },
  };
}

/** What a newcomer should try: a question of their own. */
function nextCommand(file: string): string {
  return `${COMMAND} answer ${show(file)} --question "Who sat?" --context "The cat sat on the mat."`;
}

/** A path as a person in this folder would type it, control characters escaped. */
function show(path: string): string {
  return escapeControls(relative('', path) || path);
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
