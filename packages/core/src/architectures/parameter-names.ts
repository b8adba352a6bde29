import type { FamilyModules, Module } from './family-modules.js';
import { FAMILY_MODULES, type ModelFamily } from './model-families.js';

/** Where one encoder layer's modules are, in the order of the computation. */
export type LayerNames = Readonly<Record<keyof FamilyModules['layer'], string>>;

/** Where a family keeps the modules that inference reads; names as in transformers, so a file is read as it is. */
export interface ParameterNames {
  readonly wordEmbeddings: string;
  readonly positionEmbeddings: string;
  /** `undefined` for a family without token types. */
  readonly tokenTypeEmbeddings: string | undefined;
  readonly embeddingNorm: string;
  layer(index: number): LayerNames;
  /** `undefined` for a family without a pooler. */
  readonly pooler: string | undefined;
  readonly questionAnswering: string;
  /** From the first token's hidden state to the labels: `dense`, `activation`, `classifier`. */
  readonly sequenceClassification: {
    readonly dense: string;
    readonly activation: 'tanh' | 'relu';
    readonly classifier: string;
  };
  readonly tokenClassification: string;
  readonly maskedLanguageModel: {
    readonly dense: string;
    readonly norm: string;
    readonly decoder: string;
    /** Where the decoder's bias is when the decoder itself is tied to the word embeddings. */
    readonly bias: string;
  };
}

/**
 * Returns the names of a family's modules. `prefix` is `bert.` and the like, or empty for a model saved without a head.
 */
export function parameterNames(family: ModelFamily, prefix: string): ParameterNames {
  const { embeddings, layers, layer, pooler, heads, sequenceActivation, decoderBias } = FAMILY_MODULES[family];
  const { questionAnswering, sequenceClassification, tokenClassification, maskedLanguageModel } = heads;
  const inBase = ({ name }: Module) => `${prefix}${name}`;
  return {
    wordEmbeddings: inBase(embeddings.word),
    positionEmbeddings: inBase(embeddings.position),
    tokenTypeEmbeddings: embeddings.tokenType && inBase(embeddings.tokenType),
    embeddingNorm: inBase(embeddings.norm),
    layer(index) {
      const inLayer = ({ name }: Module) => `${prefix}${layers}.${index}.${name}`;
      return {
        query: inLayer(layer.query),
        key: inLayer(layer.key),
        value: inLayer(layer.value),
        attentionOutput: inLayer(layer.attentionOutput),
        attentionNorm: inLayer(layer.attentionNorm),
        intermediate: inLayer(layer.intermediate),
        output: inLayer(layer.output),
        outputNorm: inLayer(layer.outputNorm),
      };
    },
    pooler: pooler && inBase(pooler),
    questionAnswering: questionAnswering.outputs.name,
    sequenceClassification: {
      dense: sequenceClassification.dense?.name ?? inBase(pooler!),
      activation: sequenceActivation,
      classifier: sequenceClassification.classifier.name,
    },
    tokenClassification: tokenClassification.classifier.name,
    maskedLanguageModel: {
      dense: maskedLanguageModel.dense.name,
      norm: maskedLanguageModel.norm.name,
      decoder: maskedLanguageModel.decoder.name,
      bias: decoderBias,
    },
  };
}
