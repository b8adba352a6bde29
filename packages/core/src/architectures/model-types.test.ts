import { expect, test } from 'vitest';
import { MODEL_FAMILIES } from './model-families.js';
import { MODEL_TYPES } from './model-types.js';

test('every family is named by a model_type that has its modules', () => {
  for (const family of MODEL_FAMILIES) expect(MODEL_TYPES.get(family)).toMatchObject({ family });
});

test('prefix and family of each model_type', () => {
  const table = [...MODEL_TYPES].map(([type, { baseModelPrefix, family }]) => [type, baseModelPrefix, family]);
  expect(table).toEqual([
    ['bert', 'bert', 'bert'],
    ['masked_bert', 'bert', 'bert'],
    ['distilbert', 'distilbert', 'distilbert'],
    ['roberta', 'roberta', 'roberta'],
    ['xlm-roberta', 'roberta', 'roberta'],
    ['camembert', 'roberta', 'roberta'],
    ['electra', 'electra', undefined],
    ['albert', 'albert', undefined],
    ['mobilebert', 'mobilebert', undefined],
  ]);
});

test('inference runs a model_type only if it knows the modules', () => {
  const runs = [...MODEL_TYPES].filter(([, { inferenceNames }]) => inferenceNames !== undefined);
  expect(runs.map(([type]) => type)).toEqual(['bert', 'masked_bert', 'distilbert', 'roberta']);
  for (const [type, { family, inferenceNames }] of runs) {
    expect(family, type).toBeDefined();
    expect(type).toMatch(inferenceNames!);
  }
});
