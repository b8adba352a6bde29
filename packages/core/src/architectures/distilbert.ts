import type { FamilyModules } from './family-modules.js';

/** DistilBERT: no token types, no pooler. Source: transformers 4.57, modeling_distilbert.py. */
export const DISTILBERT: FamilyModules = {
  baseModelPrefix: 'distilbert',
  embeddings: {
    word: { kind: 'embedding', name: 'embeddings.word_embeddings' },
    position: { kind: 'embedding', name: 'embeddings.position_embeddings' },
    norm: { kind: 'layer-norm', name: 'embeddings.LayerNorm' },
  },
  layers: 'transformer.layer',
  layer: {
    query: { kind: 'linear', name: 'attention.q_lin' },
    key: { kind: 'linear', name: 'attention.k_lin' },
    value: { kind: 'linear', name: 'attention.v_lin' },
    attentionOutput: { kind: 'linear', name: 'attention.out_lin' },
    attentionNorm: { kind: 'layer-norm', name: 'sa_layer_norm' },
    intermediate: { kind: 'linear', name: 'ffn.lin1' },
    output: { kind: 'linear', name: 'ffn.lin2' },
    outputNorm: { kind: 'layer-norm', name: 'output_layer_norm' },
  },
  heads: {
    questionAnswering: { outputs: { kind: 'linear', name: 'qa_outputs' } },
    sequenceClassification: {
      dense: { kind: 'linear', name: 'pre_classifier' },
      classifier: { kind: 'linear', name: 'classifier' },
    },
    tokenClassification: { classifier: { kind: 'linear', name: 'classifier' } },
    maskedLanguageModel: {
      dense: { kind: 'linear', name: 'vocab_transform' },
      norm: { kind: 'layer-norm', name: 'vocab_layer_norm' },
      decoder: { kind: 'linear', name: 'vocab_projector' },
    },
  },
  sequenceActivation: 'relu',
  decoderBias: 'vocab_projector.bias',
};
