import { type JsonObject, PruneError } from '@prune/core';

/** One question on one paragraph. */
export interface SquadExample {
  readonly id: string;
  readonly question: string;
  readonly context: string;
  /** The gold answers; empty for a question without an answer (SQuAD 2). */
  readonly answers: readonly string[];
}

/** A SQuAD file, flattened. */
export interface SquadDataset {
  /** 2 when the file says so or has a question without an answer: the official evaluations differ. */
  readonly version: 1 | 2;
  readonly examples: readonly SquadExample[];
}

/** Reads a parsed SQuAD 1.1 or 2.0 file. Throws `corrupt` naming the place that is not as the format wants it. */
export function readSquad(json: unknown, where = 'squad'): SquadDataset {
  const root = object(json, 'the file', where);
  const examples: SquadExample[] = [];
  let impossible = false;
  list(root.data, 'data', where).forEach((article, a) => {
    const { paragraphs } = object(article, `data[${a}]`, where);
    list(paragraphs, `data[${a}].paragraphs`, where).forEach((entry, p) => {
      const place = `data[${a}].paragraphs[${p}]`;
      const paragraph = object(entry, place, where);
      const context = string(paragraph.context, `${place}.context`, where);
      list(paragraph.qas, `${place}.qas`, where).forEach((question, q) => {
        const qa = object(question, `${place}.qas[${q}]`, where);
        const answers = list(qa.answers ?? [], `${place}.qas[${q}].answers`, where).map((answer, i) =>
          string(
            object(answer, `${place}.qas[${q}].answers[${i}]`, where).text,
            `${place}.qas[${q}].answers[${i}].text`,
            where,
          ),
        );
        if (qa.is_impossible === true || answers.length === 0) impossible = true;
        examples.push({
          // Some files number their questions; predictions have strings as keys.
          id: string(Number.isSafeInteger(qa.id) ? `${qa.id}` : qa.id, `${place}.qas[${q}].id`, where),
          question: string(qa.question, `${place}.qas[${q}].question`, where),
          context,
          answers,
        });
      });
    });
  });
  const saysTwo = /^v?2/.test(typeof root.version === 'number' ? `${root.version}` : optionalString(root.version));
  return { version: impossible || saysTwo ? 2 : 1, examples };
}

function object(value: unknown, place: string, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw wrong(value, place, 'an object', where);
}

function list(value: unknown, place: string, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(value, place, 'a list', where);
}

function string(value: unknown, place: string, where: string): string {
  if (typeof value === 'string') return value;
  throw wrong(value, place, 'a string', where);
}

function optionalString(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function wrong(value: unknown, place: string, wanted: string, where: string): PruneError {
  const got =
    value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  return new PruneError('corrupt', { where, what: `not a SQuAD file: ${place}`, got, wanted });
}
