import { expect, test } from 'vitest';
import { FIRST_LAYER_PHASE, INPUT_PHASES, LAYER_PHASES, LINEARS } from './layout.js';
import { type PassSize, passPhases } from './pass-phases.js';

/** A layer of `heads` heads of 4 features, whose Linears have streams of 10, 20, ... bytes. */
const layerOf = (heads: number) => ({
  linears: LINEARS.map((name, index) => ({
    columns: name === 'attentionOutput' ? 4 * heads : 8,
    streamBytes: 10 * (index + 1),
  })),
});
const size = (given: Partial<PassSize> = {}): PassSize => ({
  hidden: 8,
  heads: 2,
  layers: [layerOf(2), layerOf(1), layerOf(0)],
  threads: 1,
  keepsAll: false,
  ...given,
});
const batch = { lengths: Int32Array.of(40, 0, 10), keyLengths: Int32Array.of(30, 0, 10) };
const tiles = { tiles: 2, parts: 3 };

test('no layer: the phases of the input', () => {
  const phases = passPhases(batch, tiles, size({ layers: [] }));
  expect(phases.map(({ kind, items }) => [kind, items])).toEqual([
    ['load', 2],
    ['store', 0],
  ]);
});

test('the order is that of the layout, and items are tiles, their parts, or heads of sequences', () => {
  const phases = passPhases(batch, tiles, size());
  expect(phases.map(({ kind }) => kind)).toEqual([...INPUT_PHASES, ...[1, 2, 3].flatMap(() => LAYER_PHASES)]);
  const items = phases.map(({ items }) => items);
  expect(items.slice(0, FIRST_LAYER_PHASE)).toEqual([2, 0]);
  expect(items.slice(FIRST_LAYER_PHASE)).toEqual([
    ...[6, 6, 6, 2, 6, 6, 2, 0],
    ...[6, 3, 6, 2, 6, 6, 2, 0],
    ...[6, 0, 6, 2, 6, 6, 2, 2],
  ]);
});

test('everything is stored where the caller wants to see it', () => {
  const phases = passPhases(batch, tiles, size({ keepsAll: true }));
  expect(phases.filter(({ kind }) => kind === 'store').map(({ items }) => items)).toEqual([2, 2, 2, 2]);
});

test('work grows with each item, and several threads share it', () => {
  const one = passPhases(batch, tiles, size());
  const two = passPhases(batch, tiles, size({ threads: 2 }));
  for (const [index, { items, workOf }] of one.entries()) {
    if (items > 0) expect(workOf(0)).toBe(0);
    for (let item = 0; item < items; item++) expect(workOf(item + 1)).toBeGreaterThan(workOf(item));
    if (items > 0) expect(two[index].workOf(items)).toBeCloseTo(workOf(items) / 2);
  }
});

test('the work of attention is products of queries and keys, whose sequences come one after the other', () => {
  const [two, one] = passPhases(batch, tiles, size()).filter(({ kind }) => kind === 'attention');
  const works = ({ items, workOf }: typeof two) => Array.from({ length: items + 1 }, (_, item) => workOf(item));
  expect(works(two)).toEqual([0, 4800, 9600, 9604, 9608, 10008, 10408]);
  expect(works(one)).toEqual([0, 4800, 4804, 5204]);
});

test('the work of a Linear is its stream, and the columns that it quantizes, for each tile', () => {
  const phases = passPhases(batch, tiles, size({ layers: [layerOf(1)] })).filter(({ items }) => items === 6);
  expect(phases.map(({ kind, workOf }) => [kind, workOf(6)])).toEqual([
    ['queryKeyValue', 2 * (8 + 60)],
    ['attentionOutput', 2 * (4 + 40)],
    ['intermediate', 2 * (8 + 50)],
    ['output', 2 * (8 + 60)],
  ]);
});
