import type { ParameterNames, QuantizationProfile } from '@prune/core';
import type { AnyLinear, Engine, LoadedLinear } from '@prune/kernels';
import { dequantizeEmbedding, quantizeWeight } from '@prune/quant';
import { scatterTokens } from '../batch/scatter-tokens.js';
import type { BertConfig } from '../config/bert-config.js';
import type { EmbeddingTable } from '../weights/embed-tokens.js';
import type { ModuleReader } from '../weights/read-modules.js';
import type { Head, LoadLinear } from './head.js';

/**
 * Hidden state through a dense layer, the activation, LayerNorm and `decoder`, to a logit for each word. A decoder that is not stored is tied
 * to the word embeddings; it is then quantized here, once, as the profile's `quantize_dynamic` does it, when the other
 * Linears are quantized.
 */
export async function maskedLanguageModelHead(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  load: LoadLinear,
  words: EmbeddingTable,
  engine: Pick<Engine, 'activate' | 'layerNorm'>,
  profile: QuantizationProfile,
): Promise<Head> {
  const { hiddenSize, vocabSize, activation, layerNormEps } = config;
  const { dense: denseName, norm: normName, decoder: decoderName, bias: biasName } = names.maskedLanguageModel;
  const dense = await modules.linear(denseName, hiddenSize, hiddenSize);
  const norm = await modules.layerNorm(normName, hiddenSize);
  const stored = modules.hasLinear(decoderName) ? await modules.linear(decoderName, vocabSize, hiddenSize) : undefined;
  const bias = stored !== undefined ? null : await modules.vector(biasName, vocabSize);
  const quantizedFor = dense.kind === 'linear' ? profile : undefined;
  const transform = load(dense, denseName);
  let decoder: LoadedLinear | undefined;
  return {
    name: 'masked-lm',
    logits(hidden, batch) {
      // Not when the model is loaded: a decoder is as large as the embeddings, and most uses never ask for it.
      decoder ??= load(stored ?? tiedDecoder(words, bias!, quantizedFor), decoderName);
      const transformed = engine.activate(transform.apply(hidden), activation);
      const logits = decoder.apply(engine.layerNorm(transformed, norm, layerNormEps));
      return { head: 'masked-lm', logits: scatterTokens(logits, vocabSize, batch) };
    },
  };
}

function tiedDecoder(words: EmbeddingTable, bias: Float32Array, profile: QuantizationProfile | undefined): AnyLinear {
  const table = 'kind' in words ? dequantizeEmbedding(words) : words;
  const [rows, columns] = table.shape;
  if (profile === undefined) return { kind: 'float', weight: table.data, shape: [rows, columns], bias };
  const data = bias as Float32Array<ArrayBuffer>;
  return { kind: 'linear', ...quantizeWeight(table, { profile }), bias: { dtype: 'float32', shape: [rows], data } };
}
