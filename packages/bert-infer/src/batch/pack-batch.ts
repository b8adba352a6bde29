import { PruneError, shown } from '@prune/core';
import type { BertConfig } from '../config/bert-config.js';

/** Inputs of a model by transformers' names: one row a sequence, `[batch, length]`; rows may differ in length. */
export interface ModelInputs {
  readonly input_ids: readonly ArrayLike<number>[];
  /** 1 for a token, 0 for padding, anywhere in a row. Default: all 1. */
  readonly attention_mask?: readonly ArrayLike<number>[];
  /** Default: all 0. */
  readonly token_type_ids?: readonly ArrayLike<number>[];
}

/**
 * What happens to padded tokens. `skip`: they are not computed, and outputs at their places are 0. `compute`: they are computed like any
 * token and only not attended to, as PyTorch does it. Where activations are quantized per tensor the two differ a little everywhere:
 * PyTorch's range of a tensor spans the padded rows too.
 */
export type Padding = 'skip' | 'compute';

/** A batch without gaps, `tokens` in all. A sequence's attended tokens come first, each with its own position. */
export interface PackedBatch {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly typeIds: Int32Array;
  /** Tokens of each sequence that are computed. */
  readonly lengths: Int32Array;
  /** Of those, how many are attended to. */
  readonly keyLengths: Int32Array;
  /** For each token its place in the output, flat in `[batch, length]`. */
  readonly places: Int32Array;
  readonly batch: number;
  /** The longest row as given. */
  readonly length: number;
}

/**
 * Checks inputs against a model and packs them. Throws `invalid-argument` (an id, type or mask value out of range, rows that do not fit each
 * other, a row without a token) or `limit` (a row that is longer than the model's positions).
 */
export function packBatch(inputs: ModelInputs, config: BertConfig, padding: Padding): PackedBatch {
  const { input_ids: rows, attention_mask: masks, token_type_ids: types } = inputs;
  checkRows('input_ids', rows);
  for (const [name, others] of [
    ['attention_mask', masks],
    ['token_type_ids', types],
  ] as const) {
    if (others !== undefined) checkSameRows(name, others, rows);
  }
  const length = rows.reduce((most, row) => Math.max(most, row.length), 0);
  if (length > config.maxLength) {
    fail('limit', 'sequence is longer than the model', `${length} tokens`, `at most ${config.maxLength}`);
  }
  const ids: number[] = [];
  const positions: number[] = [];
  const typeIds: number[] = [];
  const places: number[] = [];
  const lengths = new Int32Array(rows.length);
  const keyLengths = new Int32Array(rows.length);
  for (let sequence = 0; sequence < rows.length; sequence++) {
    const row = rows[sequence];
    const rowPositions = positionsOf(row, config);
    const order = attendedFirst(row.length, masks?.[sequence], sequence);
    keyLengths[sequence] = order.attended;
    const computed = padding === 'skip' ? order.places.slice(0, order.attended) : order.places;
    lengths[sequence] = computed.length;
    for (const place of computed) {
      const at = `[${sequence}][${place}]`;
      ids.push(inRange(`input_ids${at}`, row[place], config.vocabSize));
      typeIds.push(
        types === undefined
          ? 0
          : inRange(`token_type_ids${at}`, types[sequence][place], Math.max(1, config.typeVocabSize)),
      );
      positions.push(inRange(`position of input_ids${at}`, rowPositions[place], config.positions));
      places.push(sequence * length + place);
    }
  }
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    typeIds: Int32Array.from(typeIds),
    lengths,
    keyLengths,
    places: Int32Array.from(places),
    batch: rows.length,
    length,
  };
}

/** RoBERTa counts positions from `pad_token_id + 1`, by the ids that are no padding; the others count from 0. */
function positionsOf(row: ArrayLike<number>, { family, firstPosition }: BertConfig): number[] {
  if (family !== 'roberta') return Array.from(row, (_, place) => place);
  const pad = firstPosition - 1;
  let next = firstPosition;
  return Array.from(row, (id) => (id === pad ? pad : next++));
}

function attendedFirst(length: number, mask: ArrayLike<number> | undefined, sequence: number) {
  const attended: number[] = [];
  const masked: number[] = [];
  for (let place = 0; place < length; place++) {
    const value = mask === undefined ? 1 : mask[place];
    if (value !== 0 && value !== 1) {
      fail('invalid-argument', `attention_mask[${sequence}][${place}] is out of range`, shown(value), '0 or 1');
    }
    (value === 1 ? attended : masked).push(place);
  }
  if (attended.length === 0) {
    const got = length === 0 ? 'an empty row' : `${length} tokens, all masked`;
    fail('invalid-argument', `input_ids[${sequence}] has no token`, got, 'at least one');
  }
  return { places: [...attended, ...masked], attended: attended.length };
}

function checkRows(name: string, rows: unknown): asserts rows is readonly ArrayLike<number>[] {
  const isRow = (row: unknown) => Array.isArray(row) || ArrayBuffer.isView(row);
  // Spread, because `every` passes over the holes of a list.
  if (!Array.isArray(rows) || ![...rows].every(isRow)) {
    fail('invalid-argument', name, rows === undefined ? 'nothing' : 'something else', 'a list of rows of numbers');
  }
}

function checkSameRows(name: string, others: unknown, rows: readonly ArrayLike<number>[]) {
  checkRows(name, others);
  if (others.length !== rows.length) {
    fail('invalid-argument', `${name} does not fit input_ids`, `${others.length} rows`, `${rows.length}`);
  }
  rows.forEach((row, sequence) => {
    if (others[sequence].length !== row.length) {
      const what = `${name}[${sequence}] does not fit input_ids[${sequence}]`;
      fail('invalid-argument', what, `${others[sequence].length} numbers`, `${row.length}`);
    }
  });
}

function inRange(what: string, value: number, end: number): number {
  if (Number.isInteger(value) && value >= 0 && value < end) return value;
  fail('invalid-argument', `${what} is out of range`, shown(value), `an integer from 0 to ${end - 1}`);
}

function fail(code: 'invalid-argument' | 'limit', what: string, got: string | number, wanted: string | number): never {
  throw new PruneError(code, { where: 'bert-infer', what, got, wanted });
}
