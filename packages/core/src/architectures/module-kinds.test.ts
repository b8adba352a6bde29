import { describe, expect, test } from 'vitest';
import { MODEL_FAMILIES } from './model-families.js';
import { moduleKinds } from './module-kinds.js';
import { parameterNames } from './parameter-names.js';

describe.each(MODEL_FAMILIES)('%s', (family) => {
  const kindOf = moduleKinds(family);

  test('no name', () => {
    expect(kindOf('')).toBeUndefined();
  });

  test.each(['', `${family}.`])('every module that inference reads behind the prefix "%s"', (prefix) => {
    const names = parameterNames(family, prefix);
    const { attentionNorm, outputNorm, ...linears } = names.layer(0);
    const { sequenceClassification, maskedLanguageModel } = names;
    for (const table of [names.wordEmbeddings, names.positionEmbeddings, names.tokenTypeEmbeddings ?? []].flat())
      expect(kindOf(table), table).toBe('embedding');
    for (const norm of [names.embeddingNorm, attentionNorm, outputNorm, maskedLanguageModel.norm])
      expect(kindOf(norm), norm).toBe('layer-norm');
    for (const linear of [
      ...Object.values(linears),
      ...Object.values(names.layer(123)).filter((name) => !/norm/i.test(name)),
      names.pooler ?? [],
      names.questionAnswering,
      sequenceClassification.dense,
      sequenceClassification.classifier,
      names.tokenClassification,
      maskedLanguageModel.dense,
      maskedLanguageModel.decoder,
    ].flat()) {
      expect(kindOf(linear), linear).toBe('linear');
    }
  });

  test('other names', () => {
    const { wordEmbeddings, questionAnswering, layer } = parameterNames(family, '');
    const { query } = layer(0);
    for (const name of [
      `my.${query}`,
      `${family}.${family}.${query}`,
      `${query}.extra`,
      `${query}\n`,
      query.replace('0', 'x'),
      query.replace('0', '0.1'),
      query.replaceAll('.', '_'),
      query.replace(/^.*\.0\./, ''),
      `other.${wordEmbeddings}`,
      `${family}.${questionAnswering}`,
      `${questionAnswering}_2`,
      'toString',
    ]) {
      expect(kindOf(name), name).toBeUndefined();
    }
  });
});

test('modules that only quantization knows', () => {
  const of = (name: string) => MODEL_FAMILIES.filter((family) => moduleKinds(family)(name) === 'linear');
  for (const part of ['self.query', 'self.key', 'self.value', 'output.dense'])
    expect(of(`encoder.layer.2.crossattention.${part}`)).toEqual(['bert', 'roberta']);
  expect(of('cls.seq_relationship')).toEqual(['bert']);
  expect(of('roberta.pooler.dense')).toEqual(['roberta']);
  expect(of('classifier')).toEqual(['bert', 'distilbert', 'roberta']);
});
