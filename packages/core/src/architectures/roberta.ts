import { BERT } from './bert.js';
import type { FamilyModules } from './family-modules.js';

/**
 * RoBERTa: BERT's modules with other heads. No head that inference runs reads the pooler.
 * Source: transformers 4.57, modeling_roberta.py.
 */
export const ROBERTA: FamilyModules = {
  ...BERT,
  baseModelPrefix: 'roberta',
  heads: {
    questionAnswering: { outputs: { kind: 'linear', name: 'qa_outputs' } },
    sequenceClassification: {
      dense: { kind: 'linear', name: 'classifier.dense' },
      classifier: { kind: 'linear', name: 'classifier.out_proj' },
    },
    tokenClassification: { classifier: { kind: 'linear', name: 'classifier' } },
    maskedLanguageModel: {
      dense: { kind: 'linear', name: 'lm_head.dense' },
      norm: { kind: 'layer-norm', name: 'lm_head.layer_norm' },
      decoder: { kind: 'linear', name: 'lm_head.decoder' },
    },
  },
  decoderBias: 'lm_head.bias',
};
