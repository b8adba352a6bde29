import { readFileSync } from 'node:fs';
import { parameterNames } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { checkComplete } from './check-complete.js';
import { missingParts } from './missing-parts.js';

const CONFIG = { model_type: 'distilbert', n_layers: 2 };
const { wordEmbeddings, positionEmbeddings, embeddingNorm, layer } = parameterNames('distilbert', 'distilbert.');
const EMBEDDINGS = [wordEmbeddings, positionEmbeddings, embeddingNorm].map((name) => `${name}.weight`);
const LAYERS = [0, 1, 2].map((index) => Object.values(layer(index)));
const complete = [...EMBEDDINGS, ...LAYERS[0].map((name) => `${name}.weight`), ...LAYERS[1]];

test('no config, an architecture that we do not know, a complete model', () => {
  checkComplete([], undefined);
  checkComplete(['a'], { model_type: 'mamba' });
  checkComplete(complete, CONFIG);
  checkComplete(
    complete.map((name) => `${name.replace(/\.weight$/, '')}._packed_params.dtype`),
    CONFIG,
  );
  expect(missingParts(complete, CONFIG)).toEqual([]);
  expect(missingParts([], undefined)).toEqual([]);
});

test('a layer, or a part of one, that is not there', () => {
  const refusal = (names: readonly string[], config: object = CONFIG) =>
    expect(() => checkComplete(names, { ...config }, 'x.bin'));
  refusal([]).toThrow(expect.objectContaining({ code: 'missing', where: 'x.bin', got: 'no tensors' }));
  refusal(complete.slice(0, -1)).toThrow(expect.objectContaining({ code: 'missing', tensor: LAYERS[1].at(-1) }));
  refusal(complete, { ...CONFIG, n_layers: 3 }).toThrow(
    expect.objectContaining({ tensor: LAYERS[2][0], got: expect.stringContaining(EMBEDDINGS[0]) }),
  );
  // Without a number of layers it is that of DistilBERT.
  refusal(complete, { model_type: 'distilbert' }).toThrow(expect.objectContaining({ code: 'missing' }));
  refusal(complete.map((name) => `shell.${name}`)).toThrow(expect.objectContaining({ code: 'missing' }));
});

test('embeddings that are not there, and layers that the config does not have, are said', () => {
  expect(missingParts(complete.slice(1), CONFIG)).toEqual([`not in the file: ${wordEmbeddings}`]);
  expect(missingParts(complete, { ...CONFIG, n_layers: 1 })).toEqual([expect.stringContaining('1 layers')]);
});

test('golden models are complete', () => {
  const config = JSON.parse(readFileSync(goldenPath('roberta/config.json'), 'utf8'));
  const header = readFileSync(goldenPath('roberta/model.safetensors'));
  const length = Number(header.readBigUInt64LE(0));
  const names = Object.keys(JSON.parse(header.subarray(8, 8 + length).toString())).filter(
    (name) => name !== '__metadata__',
  );
  checkComplete(names, config);
  expect(missingParts(names, config)).toEqual([]);
});
