import type { AnswerResult } from '@prune/bert-infer';
import { type JsonObject, PruneError } from '@prune/core';

/** An answer that another implementation gives otherwise. */
export interface OtherAnswer {
  readonly id: string;
  readonly ours: string;
  readonly theirs: string;
  /** How much better ours scores by our own logits; `undefined` when theirs is not among our candidates. */
  readonly margin: number | undefined;
}

/** How a model's answers compare with another implementation's. */
export interface AnswerComparison {
  readonly equal: number;
  /** Different, but by a margin below {@link NEAR_TIE}. */
  readonly nearTies: readonly OtherAnswer[];
  /** Different by more than that. */
  readonly different: readonly OtherAnswer[];
}

/**
 * Spans closer than this can change places between two correct implementations: on dev-squad.json the score of one and the same answer of
 * mini-qa moves by 0.1 on average and by up to 0.95 between PyTorch 2.15's fbgemm and this one, and PyTorch 2.15 itself answers 17 of the
 * 300 questions otherwise than PyTorch 2.6 did.
 */
export const NEAR_TIE = 1;

/** Compares answers (with their candidates, so ask for `nBest`) with another implementation's texts by question id. */
export function compareAnswers(
  answers: ReadonlyMap<string, AnswerResult>,
  theirs: Readonly<Record<string, string>>,
): AnswerComparison {
  const others: OtherAnswer[] = [];
  let equal = 0;
  for (const [id, { text, score, nBest }] of answers) {
    if (theirs[id] === undefined) throw new PruneError('missing', { what: 'no prediction for a question', got: id });
    if (theirs[id] === text) equal++;
    else {
      const candidate = nBest.find((other) => other.text === theirs[id]);
      others.push({ id, ours: text, theirs: theirs[id], margin: candidate && score - candidate.score });
    }
  }
  const isNear = ({ margin }: OtherAnswer) => margin !== undefined && margin < NEAR_TIE;
  return { equal, nearTies: others.filter(isNear), different: others.filter((other) => !isNear(other)) };
}

/** Predictions as the official script reads them (`{id: text}`), or several sets by name (`{fbgemm: {id: text}}`) of which `name` is taken. */
export function predictionsOf(json: unknown, name: string, where: string): Record<string, string> {
  const root = objectOf(json, where);
  const set = typeof root[name] === 'object' ? objectOf(root[name], where) : root;
  for (const [id, text] of Object.entries(set)) {
    if (typeof text !== 'string') {
      throw new PruneError('corrupt', { where, what: `prediction ${id}`, got: typeof text, wanted: 'a text' });
    }
  }
  return set as Record<string, string>;
}

function objectOf(json: unknown, where: string): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new PruneError('corrupt', { where, what: 'not predictions', wanted: '{"id": "text"}' });
}
