import type { FamilyModules } from './family-modules.js';

/** BERT. Source: transformers 4.57, modeling_bert.py. */
export const BERT: FamilyModules = {
  baseModelPrefix: 'bert',
  embeddings: {
    word: { kind: 'embedding', name: 'embeddings.word_embeddings' },
    position: { kind: 'embedding', name: 'embeddings.position_embeddings' },
    tokenType: { kind: 'embedding', name: 'embeddings.token_type_embeddings' },
    norm: { kind: 'layer-norm', name: 'embeddings.LayerNorm' },
  },
  layers: 'encoder.layer',
  layer: {
    query: { kind: 'linear', name: 'attention.self.query' },
    key: { kind: 'linear', name: 'attention.self.key' },
    value: { kind: 'linear', name: 'attention.self.value' },
    attentionOutput: { kind: 'linear', name: 'attention.output.dense' },
    attentionNorm: { kind: 'layer-norm', name: 'attention.output.LayerNorm' },
    intermediate: { kind: 'linear', name: 'intermediate.dense' },
    output: { kind: 'linear', name: 'output.dense' },
    outputNorm: { kind: 'layer-norm', name: 'output.LayerNorm' },
  },
  crossAttention: {
    query: { kind: 'linear', name: 'crossattention.self.query' },
    key: { kind: 'linear', name: 'crossattention.self.key' },
    value: { kind: 'linear', name: 'crossattention.self.value' },
    output: { kind: 'linear', name: 'crossattention.output.dense' },
  },
  pooler: { kind: 'linear', name: 'pooler.dense' },
  heads: {
    questionAnswering: { outputs: { kind: 'linear', name: 'qa_outputs' } },
    sequenceClassification: { classifier: { kind: 'linear', name: 'classifier' } },
    tokenClassification: { classifier: { kind: 'linear', name: 'classifier' } },
    maskedLanguageModel: {
      dense: { kind: 'linear', name: 'cls.predictions.transform.dense' },
      norm: { kind: 'layer-norm', name: 'cls.predictions.transform.LayerNorm' },
      decoder: { kind: 'linear', name: 'cls.predictions.decoder' },
    },
    nextSentencePrediction: { classifier: { kind: 'linear', name: 'cls.seq_relationship' } },
  },
  sequenceActivation: 'tanh',
  decoderBias: 'cls.predictions.bias',
};
