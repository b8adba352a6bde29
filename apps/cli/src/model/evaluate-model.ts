import {
  type AnswerOptions,
  type AnswerResult,
  answer,
  type BertModel,
  evaluateSquad,
  type SquadDataset,
  type SquadEvaluation,
} from '@prune/bert-infer';

/** A model's answers to a SQuAD file, and what they score. */
export interface ModelEvaluation {
  /** By question id. */
  readonly answers: ReadonlyMap<string, AnswerResult>;
  readonly evaluation: SquadEvaluation;
}

/** Answers every question of a SQuAD file ("no answer" competes in SQuAD 2 files) and scores the answers as the official script does. */
export async function evaluateModel(
  model: BertModel,
  dataset: SquadDataset,
  options: AnswerOptions,
  onAnswer: (id: string) => void = () => {},
): Promise<ModelEvaluation> {
  const answers = new Map<string, AnswerResult>();
  for (const { id, question, context } of dataset.examples) {
    answers.set(id, await answer(model, { ...options, question, context, noAnswer: dataset.version === 2 }));
    onAnswer(id);
  }
  return { answers, evaluation: evaluateSquad(dataset, { get: (id) => answers.get(id)?.text }) };
}
