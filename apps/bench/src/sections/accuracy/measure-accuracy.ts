import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { answer, loadModel } from '@prune/bert-infer';
import { evaluateSquad, readSquad, type SquadDataset } from '@prune/bert-infer/squad';
import { PruneError, writeStore } from '@prune/core';
import { openStore } from '@prune/model-files/node';
import { workFolder } from '../../bench-folder.js';
import { elementaryOf } from '../../model/elementary-of.js';
import { FILE_FORMS } from '../../model/file-forms.js';

/** What a model answers from one kind of file. */
export interface AccuracyRow {
  readonly form: string;
  /** Percent, as the official SQuAD evaluation counts. */
  readonly exact: number;
  readonly f1: number;
  readonly questions: number;
  /** All questions, one after another, one thread. */
  readonly seconds: number;
}

/** Accuracy of the embedded model from every file, and what PyTorch gets from the same weights. */
export interface Accuracy {
  readonly model: string;
  readonly data: string;
  readonly rows: readonly AccuracyRow[];
  /** PyTorch's figures for all questions of the file, by engine; from the model's `accuracy.json`. */
  readonly pytorch: Readonly<Record<string, { readonly exact: number; readonly f1: number }>>;
}

/** Options of {@link measureAccuracy}. */
export interface MeasureAccuracyOptions {
  /** Left out: every question of the file. */
  readonly questions?: number;
  readonly log?: (line: string) => void;
}

/**
 * Answers the questions of `dev-squad.json` in a model folder from every store and codec. Every answer, with its place and its score, must be the same from
 * each of them: throws `mismatch` otherwise.
 */
export async function measureAccuracy(
  model: string,
  folder: string,
  { questions, log = () => {} }: MeasureAccuracyOptions = {},
): Promise<Accuracy> {
  const json = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));
  const { version, examples } = readSquad(await json('dev-squad.json'), 'dev-squad.json');
  const dataset: SquadDataset = { version, examples: examples.slice(0, questions) };
  const { elementary, metadata } = await elementaryOf(folder, 'whole');
  const rows: AccuracyRow[] = [];
  let first: string | undefined;
  for (const { form, extension, create } of FILE_FORMS) {
    const work = join(workFolder, 'accuracy');
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    const path = join(work, `model.${extension}`);
    await writeStore(await create(path), elementary, metadata);
    const { predictions, answers, seconds } = await predict(path, dataset);
    first ??= answers;
    if (answers !== first) {
      throw new PruneError('mismatch', { where: form, what: 'answers differ from those of the first form' });
    }
    const { exact, f1 } = await evaluateSquad(dataset, predictions);
    rows.push({ form, exact, f1, questions: dataset.examples.length, seconds });
    log(`accuracy: ${model}: ${form}: exact match ${exact.toFixed(2)}, F1 ${f1.toFixed(2)}`);
  }
  return { model, data: 'dev-squad.json', rows, pytorch: pytorchFigures(await json('accuracy.json')) };
}

async function predict(path: string, { examples }: SquadDataset) {
  const store = await openStore(path);
  try {
    const model = await loadModel(store);
    const predictions = new Map<string, string>();
    const answers: unknown[] = [];
    const start = performance.now();
    for (const { id, question, context } of examples) {
      const { text, start, end, score } = await answer(model, { question, context });
      predictions.set(id, text);
      answers.push([id, start, end, score]);
    }
    const seconds = (performance.now() - start) / 1000;
    await model.close();
    return { predictions, answers: JSON.stringify(answers), seconds };
  } finally {
    await store.close();
  }
}

function pytorchFigures(json: { results: Record<string, { exact_match: number; f1: number }> }): Accuracy['pytorch'] {
  const engines = Object.entries(json.results).filter(([name]) => name.endsWith('.dev') && name !== 'teacher.dev');
  return Object.fromEntries(
    engines.map(([name, { exact_match, f1 }]) => [name.replace('.dev', ''), { exact: exact_match, f1 }]),
  );
}
