import { type ModelMetadata, parseJson, type SentencePipeline, sentencePipeline } from '@prune/core';

const TOKENIZER_CONFIG = 'tokenizer_config.json';

/**
 * How a model makes a sentence's embedding, where its files say so. A folder that does not say how many tokens it was
 * made for has the tokenizer's `model_max_length`, as in sentence-transformers. Throws what `sentencePipeline` throws.
 */
export async function sentenceOf({ sentence, files }: ModelMetadata): Promise<SentencePipeline | undefined> {
  if (sentence === undefined) return undefined;
  const pipeline = sentencePipeline(sentence);
  if (pipeline.maxTokens !== undefined) return pipeline;
  const bytes = [...(files?.keys() ?? [])].includes(TOKENIZER_CONFIG) ? await files?.get(TOKENIZER_CONFIG) : undefined;
  const most = bytes && parseJson(bytes, TOKENIZER_CONFIG).model_max_length;
  // Python writes 1000000000000000019884624838656 for "as long as you like".
  return typeof most === 'number' && most > 0 ? { ...pipeline, maxTokens: most } : pipeline;
}
