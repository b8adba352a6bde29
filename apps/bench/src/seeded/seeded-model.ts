import { type JsonObject, type LayerNames, parameterNames, type StateDict, type Tensor } from '@prune/core';
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
 * A `BertForQuestionAnswering` with pooler whose encoder is pruned to `density`: a weight is kept with odds that are a
 * product of its row's and its column's (the distribution of highest entropy for given row and column densities). What
 * was seen in `models/mini-qa` is in it: rows and columns of very unequal density (deviation 0.3 to 1 of the mean),
 * heads that differ, densities that matrices share because they read or write the same neurons (query, key and value
 * their input; `attention.output` and `output` the residual stream; `intermediate` rows and `output` columns; a head's
 * rows in query, key, value and its columns in `attention.output`), and no kept weight near 0.
 */
export function seededModel(options: SeededModelOptions = {}): SeededModel {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const size = { ...SEEDED_MODEL_DEFAULTS, ...given };
  const shapes = parameterShapes(size);
  const pruned = prunedMatrices(shapes, size);
  return {
    config: configOf(size),
    shapes,
    stateDict: {
      keys: () => shapes.keys(),
      get(name) {
        const shape = shapes.get(name);
        return shape && makeParameter(name, shape, pruned.get(name), size);
      },
    },
  };
}

type Size = Required<SeededModelOptions>;

const NAMES = parameterNames('bert', 'bert.');

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
  shapes.set(`${NAMES.wordEmbeddings}.weight`, [vocabulary, hidden]);
  shapes.set(`${NAMES.positionEmbeddings}.weight`, [positions, hidden]);
  shapes.set(`${NAMES.tokenTypeEmbeddings}.weight`, [2, hidden]);
  layerNorm(NAMES.embeddingNorm);
  for (let index = 0; index < layers; index++) {
    const layer = NAMES.layer(index);
    for (const module of [layer.query, layer.key, layer.value]) linear(module, hidden, hidden);
    linear(layer.attentionOutput, hidden, hidden);
    layerNorm(layer.attentionNorm);
    linear(layer.intermediate, intermediate, hidden);
    linear(layer.output, hidden, intermediate);
    layerNorm(layer.outputNorm);
  }
  linear(NAMES.pooler!, hidden, hidden);
  linear(NAMES.questionAnswering, 2, hidden);
  return shapes;
}

/** A layer's Linears, in the order of its parameters. */
const LINEARS = [
  'query',
  'key',
  'value',
  'attentionOutput',
  'intermediate',
  'output',
] as const satisfies readonly (keyof LayerNames)[];

/** A weight of the encoder: where it is and how much of it is kept. */
interface PrunedMatrix {
  readonly layer: number;
  readonly linear: (typeof LINEARS)[number];
  readonly density: number;
}

/**
 * The encoder's weights by name. Densities are unequal, as one global threshold leaves them; over all weights they are
 * `size.density`.
 */
function prunedMatrices(shapes: ReadonlyMap<string, readonly number[]>, size: Size): Map<string, PrunedMatrix> {
  const matrices = Array.from({ length: size.layers }, (_, layer) =>
    LINEARS.map((linear) => ({ name: `${NAMES.layer(layer)[linear]}.weight`, layer, linear })),
  ).flat();
  const shares = matrices.map(({ name }) => 1 + 0.08 * random(`${size.seed}/share/${name}`).normal());
  const weights = matrices.map(({ name }) => {
    const [rows, columns] = shapes.get(name)!;
    return rows * columns;
  });
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const mean = sum(shares.map((share, i) => share * weights[i])) / sum(weights);
  const density = (share: number) => Math.min(0.98, (size.density * share) / mean);
  return new Map(matrices.map(({ name, ...place }, i) => [name, { ...place, density: density(shares[i]) }]));
}

function makeParameter(
  name: string,
  shape: readonly number[],
  pruned: PrunedMatrix | undefined,
  size: Size,
): Tensor<'float32'> {
  const source = random(`${size.seed}/${name}`);
  const data = new Float32Array(shape.reduce((product, dimension) => product * dimension, 1));
  if (pruned !== undefined) {
    fillPruned(data, source, preferencesOf(name, shape, pruned, size), pruned.density);
  } else {
    // Only a LayerNorm has a weight of one dimension.
    const layerNormWeight = name.endsWith('.weight') && shape.length === 1;
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

function preferencesOf(
  name: string,
  [rows, columns]: readonly number[],
  { layer, linear }: PrunedMatrix,
  size: Size,
): Preferences {
  const at = (subject: string) => `${size.seed}/odds/${subject}`;
  const residual = (length: number, side: string) => preferences(length, 0.4, at(side), at(`${name}/${side}`));
  const neurons = (length: number) => preferences(length, 0.45, at(`${layer}/neurons`), at(`${name}/neurons`));
  const heads = (length: number) => {
    const source = random(at(`${layer}/heads`));
    const ofHead = Array.from({ length: size.heads }, () => squared(0.25 * source.normal()));
    const within = preferences(length, 0.3, at(`${layer}/head neurons`), at(`${name}/head neurons`));
    return within.map((preference, i) => preference * ofHead[Math.floor((i * size.heads) / length)]);
  };
  switch (linear) {
    case 'query':
    case 'key':
    case 'value':
      return { rows: heads(rows), columns: residual(columns, 'read') };
    case 'attentionOutput':
      return { rows: residual(rows, 'written'), columns: heads(columns) };
    case 'intermediate':
      return { rows: neurons(rows), columns: residual(columns, 'read') };
    case 'output':
      return { rows: residual(rows, 'written'), columns: neurons(columns) };
  }
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
