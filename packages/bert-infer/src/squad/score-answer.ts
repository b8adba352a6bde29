import { checkArgument } from '@prune/core';
import { normalizeAnswer } from './normalize-answer.js';

/** How good one answer is; both from 0 to 1. */
export interface AnswerScore {
  readonly exact: number;
  readonly f1: number;
}

/**
 * Exact match and F1 (of words) of a predicted answer, each the best over the gold answers; 0 without any.
 * An empty side scores 1 exactly when both are empty (SQuAD 2); `version` 1 scores F1 0 then, as evaluate-v1.1.py does.
 */
export function scoreAnswer(prediction: string, gold: readonly string[], version: 1 | 2): AnswerScore {
  checkArgument(Array.isArray(gold), { where: 'scoreAnswer', what: 'gold', wanted: 'a list of texts' }, gold);
  const predicted = normalizeAnswer(prediction);
  let exact = 0;
  let f1 = 0;
  for (const answer of gold) {
    const wanted = normalizeAnswer(answer);
    if (predicted.join(' ') === wanted.join(' ')) exact = 1;
    f1 = Math.max(f1, wordF1(predicted, wanted, version));
  }
  return { exact, f1 };
}

function wordF1(predicted: readonly string[], wanted: readonly string[], version: 1 | 2): number {
  if (version === 2 && (predicted.length === 0 || wanted.length === 0)) {
    return predicted.length === wanted.length ? 1 : 0;
  }
  const rest = new Map<string, number>();
  for (const word of wanted) rest.set(word, (rest.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of predicted) {
    const left = rest.get(word) ?? 0;
    if (left > 0) {
      common++;
      rest.set(word, left - 1);
    }
  }
  if (common === 0) return 0;
  const precision = common / predicted.length;
  const recall = common / wanted.length;
  return (2 * precision * recall) / (precision + recall);
}
