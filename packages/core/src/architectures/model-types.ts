import { BERT } from './bert.js';
import { DISTILBERT } from './distilbert.js';
import type { ModelFamily } from './model-families.js';
import { ROBERTA } from './roberta.js';

/** What we know of one `model_type` of config.json. */
export interface ModelType {
  /**
   * `base_model_prefix` of transformers, without the dot: where a model with a head keeps the base model's parameters.
   */
  readonly baseModelPrefix: string;
  /** The family whose modules it has, if we know them. */
  readonly family?: ModelFamily;
  /**
   * How its class names begin (`Bert` of `BertForQuestionAnswering`): quantization reads them when a config has no
   * `model_type`.
   */
  readonly classPrefix?: string;
  /**
   * The names that inference accepts for it, as `model_type` or as the first of `architectures`. Without these,
   * inference refuses it. The names of other architectures begin with `Bert` and `Roberta` too
   * (`BertGenerationEncoder`), so the rest of the name counts there.
   */
  readonly inferenceNames?: RegExp;
}

const bert = { family: 'bert', baseModelPrefix: BERT.baseModelPrefix } as const;
const distilbert = { family: 'distilbert', baseModelPrefix: DISTILBERT.baseModelPrefix } as const;
const roberta = { family: 'roberta', baseModelPrefix: ROBERTA.baseModelPrefix } as const;

/** What each `model_type` of config.json stands for. Source: transformers 4.57, the modeling_*.py of each type. */
export const MODEL_TYPES: ReadonlyMap<string, ModelType> = new Map<string, ModelType>([
  ['bert', { ...bert, classPrefix: 'Bert', inferenceNames: /^bert(?:for|model|$)/i }],
  // transformers' movement-pruning example writes this one; a pruned model is an ordinary BERT.
  ['masked_bert', { ...bert, inferenceNames: /^masked_?bert/i }],
  ['distilbert', { ...distilbert, classPrefix: 'DistilBert', inferenceNames: /^distilbert/i }],
  ['roberta', { ...roberta, classPrefix: 'Roberta', inferenceNames: /^roberta(?:for|model|$)/i }],
  ['xlm-roberta', roberta],
  ['camembert', roberta],
  ['electra', { baseModelPrefix: 'electra' }],
  ['albert', { baseModelPrefix: 'albert' }],
  ['mobilebert', { baseModelPrefix: 'mobilebert' }],
]);
