import { expect, test } from 'vitest';
import { random, randomLayers } from '../../test/random-encoder.js';
import { checkEncoderLayer } from './check-encoder-layer.js';

const HEADS = 4;
const layerOf = (width: number, intermediate: number) =>
  randomLayers(random(1), 1, 20, 30, { density: 0.5 }, [{ width, intermediate }])[0];
const whole = layerOf(20, 30);

test('a layer without heads and neurons, and the largest layer so far', () => {
  const first = checkEncoderLayer(layerOf(0, 0), 0, HEADS);
  expect(first).toEqual({ hidden: 20, intermediate: 0 });
  const second = checkEncoderLayer(whole, 1, HEADS, first);
  expect(second).toEqual({ hidden: 20, intermediate: 30 });
  expect(checkEncoderLayer(layerOf(5, 7), 2, HEADS, second)).toEqual(second);
});

test.each([
  ['rows that are not those of whole heads', layerOf(7, 30), 'layer.3.query'],
  ['more heads than there were', layerOf(25, 30), 'layer.3.query'],
  ['a key of another number of heads', { ...layerOf(10, 30), key: whole.key }, 'layer.3.key'],
  ['a value of another number of heads', { ...whole, value: layerOf(10, 30).value }, 'layer.3.value'],
  [
    'an output of another number of heads',
    { ...layerOf(10, 30), attentionOutput: whole.attentionOutput },
    'layer.3.attentionOutput',
  ],
  ['an output of another number of neurons', { ...whole, output: layerOf(20, 29).output }, 'layer.3.output'],
  ['an output without columns', { ...whole, output: layerOf(20, 0).output }, 'layer.3.output'],
])('mismatch: %s', (_, layer, tensor) => {
  expect(() => checkEncoderLayer(layer, 3, HEADS)).toThrow(expect.objectContaining({ code: 'mismatch', tensor }));
});

test('heads that do not divide the hidden size', () => {
  for (const heads of [0, 3, 1.5, Number.NaN]) {
    expect(() => checkEncoderLayer(whole, 0, heads)).toThrow(expect.objectContaining({ code: 'mismatch' }));
  }
});
