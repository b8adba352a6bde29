import { Pacer, type ParameterNames, type QuantizationProfile, untilAborted } from '@prune/core';
import type { AnyLinear, Engine, LoadedLinear } from '@prune/kernels';
import { dequantizeEmbedding, quantizeWeight } from '@prune/quant';
import { scatterTokens } from '../batch/scatter-tokens.js';
import type { BertConfig } from '../config/bert-config.js';
import type { WholeTable } from '../weights/embed-tokens.js';
import type { ModuleReader } from '../weights/read-modules.js';
import { hasTiedDecoder } from './has-tied-decoder.js';
import type { Head, LoadLinear } from './head.js';
import { splitRows } from './split-rows.js';

/** Rows of the decoder at once: a few milliseconds, and 30,522 of them would keep a page waiting for half a second. */
const ROWS = 256;

/**
 * Hidden state through a dense layer, the activation, LayerNorm and `decoder`, to a logit for each word. A decoder that is not stored is tied
 * to the word embeddings; it is then quantized here, once, as the profile's `quantize_dynamic` does it, when the other
 * Linears are quantized. `words` is needed for a tied decoder only.
 */
export async function maskedLanguageModelHead(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  load: LoadLinear,
  words: WholeTable | undefined,
  engine: Pick<Engine, 'activate' | 'layerNorm'>,
  profile: QuantizationProfile,
): Promise<Head> {
  const { hiddenSize, vocabSize, activation, layerNormEps } = config;
  const { dense: denseName, norm: normName, decoder: decoderName, bias: biasName } = names.maskedLanguageModel;
  const dense = await modules.linear(denseName, hiddenSize, hiddenSize);
  const norm = await modules.layerNorm(normName, hiddenSize);
  const isTied = hasTiedDecoder(modules, names);
  const stored = isTied ? undefined : await modules.linear(decoderName, vocabSize, hiddenSize);
  const bias = stored !== undefined ? null : await modules.vector(biasName, vocabSize);
  const quantizedFor = dense.kind === 'linear' ? profile : undefined;
  const transform = load(dense, denseName);
  let decoder: Promise<readonly LoadedLinear[]> | undefined;
  const loadDecoder = async (pacer: Pacer) => {
    const parts: LoadedLinear[] = [];
    for (const part of splitRows(stored ?? tiedDecoder(words!, bias!, quantizedFor), ROWS)) {
      parts.push(load(part, decoderName));
      await pacer.pause();
    }
    return parts;
  };
  return {
    name: 'masked-lm',
    async logits(hidden, batch, signal) {
      const pacer = new Pacer();
      // Not when the model is loaded: a decoder is as large as the embeddings, and most uses never ask for it.
      decoder ??= loadDecoder(pacer).catch((error) => {
        decoder = undefined;
        throw error;
      });
      const parts = await untilAborted(decoder, signal);
      const transformed = engine.activate(transform.apply(hidden), activation);
      const x = engine.layerNorm(transformed, norm, layerNormEps);
      const tokens = batch.places.length;
      const logits = new Float32Array(tokens * vocabSize);
      let first = 0;
      for (const part of parts) {
        await pacer.pause(signal);
        const y = part.apply(x);
        for (let token = 0; token < tokens; token++) {
          logits.set(y.subarray(token * part.rows, (token + 1) * part.rows), token * vocabSize + first);
        }
        first += part.rows;
      }
      return { head: 'masked-lm', logits: scatterTokens(logits, vocabSize, batch) };
    },
  };
}

function tiedDecoder(words: WholeTable, bias: Float32Array, profile: QuantizationProfile | undefined): AnyLinear {
  const table = 'kind' in words ? dequantizeEmbedding(words) : words;
  const [rows, columns] = table.shape;
  if (profile === undefined) return { kind: 'float', weight: table.data, shape: [rows, columns], bias };
  const data = bias as Float32Array<ArrayBuffer>;
  return { kind: 'linear', ...quantizeWeight(table, { profile }), bias: { dtype: 'float32', shape: [rows], data } };
}
