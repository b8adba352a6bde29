import { checkArgument, Pacer } from '@prune/core';
import { checkText } from '../text/check-text.js';
import type { WatchOptions } from '../watch-options.js';
import { normalizeAnswer } from './normalize-answer.js';
import type { SquadDataset } from './read-squad.js';
import { type AnswerScore, scoreAnswer } from './score-answer.js';

/** Scores in percent over some questions. */
export interface SquadScores {
  readonly exact: number;
  readonly f1: number;
  /** Questions counted. */
  readonly total: number;
}

/** What the official evaluation prints, and the score of every question. */
export interface SquadEvaluation extends SquadScores {
  /** Only for SQuAD 2 files: the questions that have an answer, and those that have none. */
  readonly hasAnswer?: SquadScores;
  readonly noAnswer?: SquadScores;
  /** By question id. */
  readonly scores: ReadonlyMap<string, AnswerScore>;
  /** Ids without a prediction: they count as wrong in SQuAD 1.1 and are left out in SQuAD 2, as the official scripts do it. */
  readonly unanswered: readonly string[];
}

/**
 * Exact match and F1 of predictions (id -> answer, `''` for "no answer"), equal to evaluate-v1.1.py for SQuAD 1.1 files and to
 * evaluate-v2.0.py for SQuAD 2 files. All percentages are 0 when nothing is counted. Progress counts questions.
 * Throws `invalid-argument` for a prediction that is not a text, with the question's id, and `aborted`.
 */
export async function evaluateSquad(
  dataset: SquadDataset,
  predictions: { get(id: string): string | undefined },
  { signal, onProgress }: WatchOptions = {},
): Promise<SquadEvaluation> {
  const where = 'evaluateSquad';
  checkArgument(Array.isArray(dataset?.examples), { where, what: 'dataset', wanted: 'what readSquad gives' }, dataset);
  const wanted = 'a Map of answers by question id';
  checkArgument(typeof predictions?.get === 'function', { where, what: 'predictions', wanted }, predictions);
  const { examples, version } = dataset;
  const pacer = new Pacer();
  const all = new Tally();
  const hasAnswer = new Tally();
  const noAnswer = new Tally();
  const scores = new Map<string, AnswerScore>();
  const unanswered: string[] = [];
  let done = 0;
  for (const { id, answers } of examples) {
    await pacer.pause(signal);
    if (done > 0) onProgress?.({ done, total: examples.length });
    done++;
    const prediction = predictions.get(id);
    if (prediction === undefined) {
      unanswered.push(id);
      if (version === 2) continue;
    } else checkText(where, `prediction of question ${id}`, prediction);
    const score =
      prediction === undefined ? { exact: 0, f1: 0 } : scoreAnswer(prediction, goldAnswers(answers, version), version);
    scores.set(id, score);
    all.add(score);
    (answers.length > 0 ? hasAnswer : noAnswer).add(score);
  }
  if (done > 0) onProgress?.({ done, total: done });
  const groups = version === 2 ? { hasAnswer: hasAnswer.percent(), noAnswer: noAnswer.percent() } : {};
  return { ...all.percent(), ...groups, scores, unanswered };
}

/** SQuAD 2 drops gold answers without a word in them and takes "no answer" where none is left. */
function goldAnswers(answers: readonly string[], version: 1 | 2): readonly string[] {
  if (version === 1) return answers;
  const some = answers.filter((answer) => normalizeAnswer(answer).length > 0);
  return some.length > 0 ? some : [''];
}

class Tally {
  private exact = 0;
  private f1 = 0;
  private total = 0;

  add({ exact, f1 }: AnswerScore): void {
    this.exact += exact;
    this.f1 += f1;
    this.total++;
  }

  percent(): SquadScores {
    const { exact, f1, total } = this;
    return total === 0 ? { exact: 0, f1: 0, total } : { exact: (100 * exact) / total, f1: (100 * f1) / total, total };
  }
}
