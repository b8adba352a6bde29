import type { Encoding } from '@prune/tokenizer';
import type { ModelInputs } from '../batch/pack-batch.js';
import type { BertModel } from '../model/bert-model.js';

/** Encoded texts as a batch; a model without token types (DistilBERT) or with one (RoBERTa) gets none. */
export function modelInputs({ config }: BertModel, encodings: readonly Encoding[]): ModelInputs {
  return {
    input_ids: encodings.map(({ ids }) => ids),
    token_type_ids: config.typeVocabSize > 1 ? encodings.map(({ typeIds }) => typeIds) : undefined,
  };
}
