import type { JsonObject, StateDict, Tensor } from '@prune/core';
import { type Random, random } from './random.js';

/** Options of {@link seededModel}. */
export interface SeededModelOptions {
  /** The share of encoder weights that are kept, over all matrices. */
  readonly density?: number;
  readonly seed?: number;
  readonly layers?: number;
  readonly hidden?: number;
  readonly heads?: number;
  readonly intermediate?: number;
  readonly vocabulary?: number;
  readonly positions?: number;
}

/** BERT-base at the density of the notebook's model. */
export const SEEDED_MODEL_DEFAULTS: Required<SeededModelOptions> = {
  density: 0.06,
  seed: 1,
  layers: 12,
  hidden: 768,
  heads: 12,
  intermediate: 3072,
  vocabulary: 30_522,
  positions: 512,
};

/** A model that was never trained, shaped as movement pruning shapes one. */
export interface SeededModel {
  readonly config: JsonObject;
  /** Made one at a time, on demand; the same floats on every machine. 438 MB in all for BERT-base. */
  readonly stateDict: StateDict;
  /** Of every tensor in `stateDict`, without making it. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * A `BertForQuestionAnswering` with pooler whose encoder is pruned to `density`: a weight is kept with odds that are a product of its row's and its
 * column's (the distribution of highest entropy for given row and column densities). What was seen in `models/mini-qa` is in it: rows and columns of very
 * unequal density (deviation 0.3 to 1 of the mean), heads that differ, densities that matrices share because they read or write the same neurons (query, key
 * and value their input; `attention.output` and `output` the residual stream; `intermediate` rows and `output` columns; a head's rows in query, key, value and
 * its columns in `attention.output`), and no kept weight near 0.
 */
export function seededModel(options: SeededModelOptions = {}): SeededModel {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const size = { ...SEEDED_MODEL_DEFAULTS, ...given };
  const shapes = parameterShapes(size);
  const densities = encoderDensities(shapes, size);
  return {
    config: configOf(size),
    shapes,
    stateDict: {
      keys: () => shapes.keys(),
      get(name) {
        const shape = shapes.get(name);
        return shape && makeParameter(name, shape, densities.get(name), size);
      },
    },
  };
}

type Size = Required<SeededModelOptions>;

function configOf({ layers, hidden, heads, intermediate, vocabulary, positions }: Size): JsonObject {
  return {
    architectures: ['BertForQuestionAnswering'],
    model_type: 'bert',
    attention_probs_dropout_prob: 0.1,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    hidden_size: hidden,
    initializer_range: 0.02,
    intermediate_size: intermediate,
    layer_norm_eps: 1e-12,
    max_position_embeddings: positions,
    num_attention_heads: heads,
    num_hidden_layers: layers,
    pad_token_id: 0,
    position_embedding_type: 'absolute',
    type_vocab_size: 2,
    vocab_size: vocabulary,
  };
}

/** Every parameter in the order of the model's definition; a Linear's weight is `[out, in]`. */
function parameterShapes({
  layers,
  hidden,
  intermediate,
  vocabulary,
  positions,
}: Size): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, out: number, input: number) =>
    shapes.set(`${name}.weight`, [out, input]).set(`${name}.bias`, [out]);
  const layerNorm = (name: string) => shapes.set(`${name}.weight`, [hidden]).set(`${name}.bias`, [hidden]);
  shapes.set('bert.embeddings.word_embeddings.weight', [vocabulary, hidden]);
  shapes.set('bert.embeddings.position_embeddings.weight', [positions, hidden]);
  shapes.set('bert.embeddings.token_type_embeddings.weight', [2, hidden]);
  layerNorm('bert.embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `bert.encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${prefix}.attention.self.${part}`, hidden, hidden);
    linear(`${prefix}.attention.output.dense`, hidden, hidden);
    layerNorm(`${prefix}.attention.output.LayerNorm`);
    linear(`${prefix}.intermediate.dense`, intermediate, hidden);
    linear(`${prefix}.output.dense`, hidden, intermediate);
    layerNorm(`${prefix}.output.LayerNorm`);
  }
  linear('bert.pooler.dense', hidden, hidden);
  linear('qa_outputs', 2, hidden);
  return shapes;
}

/** The density of each encoder matrix: unequal, as one global threshold leaves them, and `size.density` over all of them. */
function encoderDensities(shapes: ReadonlyMap<string, readonly number[]>, size: Size): Map<string, number> {
  const matrices = [...shapes].filter(([name, shape]) => name.includes('.encoder.') && shape.length === 2);
  const shares = matrices.map(([name]) => 1 + 0.08 * random(`${size.seed}/share/${name}`).normal());
  const weights = matrices.map(([, [rows, columns]]) => rows * columns);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const mean = sum(shares.map((share, i) => share * weights[i])) / sum(weights);
  return new Map(matrices.map(([name], i) => [name, Math.min(0.98, (size.density * shares[i]) / mean)]));
}

function makeParameter(
  name: string,
  shape: readonly number[],
  density: number | undefined,
  size: Size,
): Tensor<'float32'> {
  const source = random(`${size.seed}/${name}`);
  const data = new Float32Array(shape.reduce((product, dimension) => product * dimension, 1));
  if (density !== undefined) {
    fillPruned(data, source, preferencesOf(name, shape, size), density);
  } else {
    const layerNormWeight = name.endsWith('LayerNorm.weight');
    const [mean, deviation] = layerNormWeight ? [0.9, 0.1] : name.endsWith('.bias') ? [0, 0.06] : [0, 0.04];
    for (let i = 0; i < data.length; i++) data[i] = mean + deviation * source.normal();
  }
  return { dtype: 'float32', shape, data };
}

/** Relative odds that a weight is kept, by row and by column. */
interface Preferences {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

/** How strongly a neuron's preference shows in a matrix that it is shared with, the rest being the matrix's own. */
const SHARED = 0.8;

function preferencesOf(name: string, [rows, columns]: readonly number[], size: Size): Preferences {
  const layer = name.split('.')[3];
  const at = (subject: string) => `${size.seed}/odds/${subject}`;
  const residual = (length: number, side: string) => preferences(length, 0.4, at(side), at(`${name}/${side}`));
  const neurons = (length: number) => preferences(length, 0.45, at(`${layer}/neurons`), at(`${name}/neurons`));
  const heads = (length: number) => {
    const source = random(at(`${layer}/heads`));
    const ofHead = Array.from({ length: size.heads }, () => squared(0.25 * source.normal()));
    const within = preferences(length, 0.3, at(`${layer}/head neurons`), at(`${name}/head neurons`));
    return within.map((preference, i) => preference * ofHead[Math.floor((i * size.heads) / length)]);
  };
  if (name.includes('.attention.self.')) return { rows: heads(rows), columns: residual(columns, 'read') };
  if (name.includes('.attention.output.')) return { rows: residual(rows, 'written'), columns: heads(columns) };
  if (name.includes('.intermediate.')) return { rows: neurons(rows), columns: residual(columns, 'read') };
  return { rows: residual(rows, 'written'), columns: neurons(columns) };
}

/** `length` odds around 1, of which {@link SHARED} is drawn from the stream `shared` and the rest from `own`. */
function preferences(length: number, spread: number, shared: string, own: string): Float64Array {
  const [a, b] = [random(shared), random(own)];
  const rest = Math.sqrt(1 - SHARED * SHARED);
  return Float64Array.from({ length }, () => squared(spread * (SHARED * a.normal() + rest * b.normal())));
}

/** A positive, skewed number from a normal one: what an exponential would be for, with products alone. */
function squared(z: number): number {
  return (1 + z) * (1 + z) + 0.01;
}

function fillPruned(data: Float32Array, source: Random, { rows, columns }: Preferences, density: number) {
  const odds = solveOdds(rows, columns, density);
  for (let r = 0, i = 0; r < rows.length; r++) {
    const ofRow = odds * rows[r];
    for (let c = 0; c < columns.length; c++, i++) {
      const kept = ofRow * columns[c];
      if (source.uint32() < (kept / (1 + kept)) * 2 ** 32) data[i] = keptWeight(source);
    }
  }
}

/** |w| from 0.016 on: after quantization the median is about 27 of 127, and few lie under 6. */
function keptWeight(source: Random): number {
  const z = 0.056 * source.normal();
  return z < 0 ? z - 0.016 : z + 0.016;
}

/** The factor `o` at which the mean of `o r c / (1 + o r c)` over the matrix is `density`, to 1e-4. */
function solveOdds(rows: Float64Array, columns: Float64Array, density: number): number {
  const [fewRows, fewColumns] = [summary(rows), summary(columns)];
  const mean = (odds: number) => {
    let sum = 0;
    for (const row of fewRows) {
      for (const column of fewColumns) sum += 1 - 1 / (1 + odds * row * column);
    }
    return sum / (fewRows.length * fewColumns.length);
  };
  let [low, high] = [1e-6, 1e6];
  while (high > 1.0001 * low) {
    const middle = Math.sqrt(low * high);
    if (mean(middle) < density) low = middle;
    else high = middle;
  }
  return low;
}

/** At most 64 numbers that are distributed as `values` are: the means of equal parts of them, sorted. */
function summary(values: Float64Array): number[] {
  const sorted = values.slice().sort();
  const parts = Math.min(64, sorted.length);
  return Array.from({ length: parts }, (_, i) => {
    const part = sorted.subarray(
      Math.floor((i * sorted.length) / parts),
      Math.floor(((i + 1) * sorted.length) / parts),
    );
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}
