import { expect, test } from 'vitest';
import { headModules } from './head-modules.js';

test('the heads of each family, without the base model', () => {
  expect([...headModules('bert')]).toEqual(['qa_outputs', 'classifier', 'cls']);
  expect([...headModules('roberta')]).toEqual(['qa_outputs', 'classifier', 'lm_head']);
  expect([...headModules('distilbert')]).toEqual([
    'qa_outputs',
    'pre_classifier',
    'classifier',
    'vocab_transform',
    'vocab_layer_norm',
    'vocab_projector',
  ]);
});
