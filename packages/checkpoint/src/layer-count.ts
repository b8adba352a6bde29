import type { JsonObject, ModelFamily } from '@prune/core';

// What a config says where it says nothing: the sizes of BERT-base and DistilBERT.
const LAYERS = { bert: 12, roberta: 12, distilbert: 6 } as const satisfies Record<ModelFamily, number>;
// The largest public models have 48. A config that says more would make us name as many modules.
const MAX_LAYERS = 1000;

/** The layers that a config.json says a model has. */
export function layerCount(config: JsonObject, family: ModelFamily): number {
  const said = config[family === 'distilbert' ? 'n_layers' : 'num_hidden_layers'];
  return typeof said === 'number' && said >= 0 && said <= MAX_LAYERS ? Math.ceil(said) : LAYERS[family];
}
