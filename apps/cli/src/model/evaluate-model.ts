import { setImmediate } from 'node:timers/promises';
import { type AnswerOptions, type AnswerResult, answer, type BertModel } from '@prune/bert-infer';
import { evaluateSquad, type SquadDataset, type SquadEvaluation } from '@prune/bert-infer/squad';
import { isPruneError, PruneError } from '@prune/core';

/** A model's answers to a SQuAD file, and what they score. */
export interface ModelEvaluation {
  /** By question id. A blank question has none, and is among the `unanswered` of the evaluation. */
  readonly answers: ReadonlyMap<string, AnswerResult>;
  readonly evaluation: SquadEvaluation;
}

/** Answers every question of a SQuAD file ("no answer" competes in SQuAD 2 files) and scores the answers as the official script does. */
export async function evaluateModel(
  model: BertModel,
  dataset: SquadDataset,
  options: AnswerOptions,
  onAnswer: (id: string, answer: AnswerResult) => void = () => {},
): Promise<ModelEvaluation> {
  const answers = new Map<string, AnswerResult>();
  const tokenizer = await model.tokenizer();
  for (const { id, question, context } of dataset.examples) {
    if (question.trim() === '' || tokenizer.tokenize(question).ids.length === 0) continue;
    const asked = { ...options, question, context, noAnswer: dataset.version === 2 };
    const found = await answer(model, asked).catch((error) => fail(error, id));
    answers.set(id, found);
    onAnswer(id, found);
    // Short answers are computed without a return to the event loop, which is where signals arrive.
    await setImmediate();
  }
  return { answers, evaluation: await evaluateSquad(dataset, { get: (id) => answers.get(id)?.text }) };
}

/** What is wrong with a question is of use with its id alone. */
function fail(error: unknown, id: string): never {
  if (!isPruneError(error, 'invalid-argument')) throw error;
  const { code, what, got, wanted } = error;
  throw new PruneError(code, { where: `question ${id}`, what, got, wanted, cause: error });
}
