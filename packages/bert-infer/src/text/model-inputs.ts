import type { Encoding } from '@prune/tokenizer';
import type { ModelInputs } from '../batch/pack-batch.js';
import type { BertModel } from '../model/bert-model.js';

/** One encoded text as a batch; a model without token types (DistilBERT) or with one (RoBERTa) gets none. */
export function modelInputs({ config }: BertModel, { ids, typeIds }: Encoding): ModelInputs {
  return { input_ids: [ids], token_type_ids: config.typeVocabSize > 1 ? [typeIds] : undefined };
}
