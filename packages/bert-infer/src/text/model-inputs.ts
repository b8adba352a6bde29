import type { BertModel } from '../model/bert-model.js';
import type { ModelInputs } from '../model/pack-batch.js';
import type { Encoding } from '../tokenizer/sequence-template.js';

/** One encoded text as a batch; a model without token types (DistilBERT) or with one (RoBERTa) gets none. */
export function modelInputs({ config }: BertModel, { ids, typeIds }: Encoding): ModelInputs {
  return { input_ids: [ids], token_type_ids: config.typeVocabSize > 1 ? [typeIds] : undefined };
}
