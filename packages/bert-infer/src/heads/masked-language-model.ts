import { Pacer, type ParameterNames, type QuantizationProfile, type Tensor, tensor } from '@prune/core';
import type { AnyLinear, Engine, LoadedLinear } from '@prune/kernels';
import { dequantizeEmbeddingRow, quantizeRowBlocks } from '@prune/quant';
import { scatterTokens } from '../batch/scatter-tokens.js';
import type { BertConfig } from '../config/bert-config.js';
import type { WholeTable } from '../weights/embed-tokens.js';
import type { ModuleReader } from '../weights/read-modules.js';
import { keptWork } from '../work/kept-work.js';
import { hasTiedDecoder } from './has-tied-decoder.js';
import type { Head, LoadLinear } from './head.js';
import { splitRows } from './split-rows.js';

/**
 * Fewest rows of the decoder at once: a few milliseconds, and 30,522 of them would keep a page waiting for half a
 * second.
 */
const LEAST_ROWS = 256;
/**
 * Each part has a memory of its own, and a page of Chromium 156 can have 125 (Node 13,000), the encoder's among them.
 */
const MOST_PARTS = 64;
/** Loading a part takes about this long, in ms. */
const LOAD_MS = 20;

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
  const rows = Math.max(LEAST_ROWS, Math.ceil(vocabSize / MOST_PARTS));
  const transform = load(dense, denseName);
  // Not when the model is loaded: a decoder is as large as the embeddings, and most uses never ask for it.
  const decoder = keptWork(async (signal) => {
    const pacer = new Pacer();
    const blocks = () => tableBlocks(words!, rows, () => pacer.pause(signal));
    const tied = () => tiedDecoder(blocks, bias!, quantizedFor, decoderName);
    const loaded: LoadedLinear[] = [];
    try {
      for await (const part of stored === undefined ? tied() : splitRows(stored, rows)) {
        await pacer.pause(signal, LOAD_MS);
        loaded.push(load(part, decoderName));
      }
    } catch (error) {
      for (const part of loaded) part.close();
      throw error;
    }
    return loaded;
  });
  return {
    name: 'masked-lm',
    async logits(hidden, batch, signal) {
      const parts = await decoder(signal);
      const pacer = new Pacer();
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

/** The word embeddings as a Linear in parts, a part for each block. It is never in memory as a whole. */
async function* tiedDecoder(
  blocks: () => AsyncIterable<Tensor<'float32'>>,
  bias: Float32Array,
  profile: QuantizationProfile | undefined,
  name: string,
): AsyncGenerator<AnyLinear> {
  let first = 0;
  const nextBias = (rows: number) => {
    first += rows;
    return bias.subarray(first - rows, first) as Float32Array<ArrayBuffer>;
  };
  if (profile === undefined) {
    for await (const { shape, data } of blocks()) {
      const [rows, columns] = shape;
      yield { kind: 'float', weight: data, shape: [rows, columns], bias: nextBias(rows) };
    }
    return;
  }
  for await (const quantized of quantizeRowBlocks(blocks, { profile, name })) {
    const [rows] = quantized.weight.shape;
    yield { kind: 'linear', ...quantized, bias: tensor('float32', [rows], nextBias(rows)) };
  }
}

/** A table as float32 in blocks of at most `most` rows, after a pause each. */
async function* tableBlocks(
  table: WholeTable,
  most: number,
  pause: () => Promise<void>,
): AsyncGenerator<Tensor<'float32'>> {
  const [rows, columns] = table.shape;
  for (let first = 0; first < rows; first += most) {
    await pause();
    const count = Math.min(most, rows - first);
    if (!('kind' in table)) {
      yield tensor('float32', [count, columns], table.data.subarray(first * columns, (first + count) * columns));
      continue;
    }
    const values = new Float32Array(count * columns);
    for (let row = 0; row < count; row++) {
      dequantizeEmbeddingRow(table, first + row, values.subarray(row * columns));
    }
    yield tensor('float32', [count, columns], values);
  }
}
