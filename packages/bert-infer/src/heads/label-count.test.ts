import { expect, test } from 'vitest';
import { bertConfig } from '../config/bert-config.js';
import { labelCount } from './label-count.js';

test('no labels: any number of rows', () => {
  expect(labelCount(bertConfig({}))).toBeUndefined();
});

test('one row for each label', () => {
  expect(labelCount(bertConfig({ id2label: { 0: 'no', 1: 'yes', 2: 'maybe' } }))).toBe(3);
});
