import {
  checkArgument,
  checkComputation,
  type JsonObject,
  MODEL_FAMILIES,
  MODEL_TYPES,
  type ModelFamily,
  PruneError,
  shown,
} from '@prune/core';
import type { Activation } from '@prune/kernels';

/** What config.json says of the shape of a model, by transformers' names for BERT; other families are translated. */
export interface BertConfig {
  readonly family: ModelFamily;
  readonly hiddenSize: number;
  readonly layers: number;
  /** Heads of a layer that none were pruned from. */
  readonly heads: number;
  /** How many heads were pruned from each layer that `pruned_heads` names. */
  readonly prunedHeads: ReadonlyMap<number, number>;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  /** Rows of the position table. */
  readonly positions: number;
  /** The position of a sequence's first token: 0, but `pad_token_id + 1` for RoBERTa. */
  readonly firstPosition: number;
  /** The longest sequence: `positions - firstPosition`. */
  readonly maxLength: number;
  /** Rows of the token type table; 0 for DistilBERT, which has none. */
  readonly typeVocabSize: number;
  readonly layerNormEps: number;
  readonly activation: Activation;
  /** What a label's number means; empty where config.json does not say. */
  readonly labels: readonly string[];
  /** Whether several labels can hold at once (`problem_type`). */
  readonly multiLabel: boolean;
  readonly architectures: readonly string[];
}

// Bounds on what a config can make us allocate or loop over; BERT-large has 24 layers of 1024, megatron-BERT 24 of 2560.
const LIMITS = { layers: 1000, hidden: 65_536, intermediate: 1_048_576, vocabulary: 16_777_216, positions: 1_048_576 };

/**
 * Reads a Hugging Face config.json of a BERT, DistilBERT or RoBERTa model; what it leaves out is transformers' default.
 * Throws `unsupported` (another architecture or activation, and what `checkComputation` refuses), `corrupt` (a value of
 * the wrong kind), `limit`.
 */
export function bertConfig(json: JsonObject): BertConfig {
  const fits = typeof json === 'object' && json !== null && !Array.isArray(json);
  checkArgument(fits, { where: 'config', what: 'config.json', wanted: 'an object' }, json);
  const family = familyOf(json);
  checkComputation(json);
  const distil = family === 'distilbert';
  const number = (name: string, otherwise: number, most: number) => integer(json, name, otherwise, most);
  const hiddenSize = distil ? number('dim', 768, LIMITS.hidden) : number('hidden_size', 768, LIMITS.hidden);
  const heads = distil ? number('n_heads', 12, LIMITS.hidden) : number('num_attention_heads', 12, LIMITS.hidden);
  if (hiddenSize % heads !== 0) {
    throw new PruneError('corrupt', {
      where: 'config',
      what: 'hidden size is no multiple of the heads',
      got: `${hiddenSize} for ${heads} heads`,
    });
  }
  const positions = number('max_position_embeddings', 512, LIMITS.positions);
  const firstPosition = family === 'roberta' ? number('pad_token_id', 1, LIMITS.positions) + 1 : 0;
  if (firstPosition >= positions) {
    throw new PruneError('corrupt', {
      where: 'config',
      what: 'no position is left after padding',
      got: positions,
      wanted: `more than ${firstPosition}`,
    });
  }
  const layers = distil ? number('n_layers', 6, LIMITS.layers) : number('num_hidden_layers', 12, LIMITS.layers);
  return {
    family,
    hiddenSize,
    layers,
    heads,
    prunedHeads: prunedHeads(json, layers, heads),
    intermediateSize: distil
      ? number('hidden_dim', 3072, LIMITS.intermediate)
      : number('intermediate_size', 3072, LIMITS.intermediate),
    vocabSize: number('vocab_size', 30_522, LIMITS.vocabulary),
    positions,
    firstPosition,
    maxLength: positions - firstPosition,
    typeVocabSize: distil ? 0 : number('type_vocab_size', 2, LIMITS.hidden),
    // DistilBERT has its epsilon in its code, not in its config.
    layerNormEps: distil ? 1e-12 : epsilon(json),
    activation: activationOf(distil ? json.activation : json.hidden_act),
    labels: labelsOf(json),
    multiLabel: json.problem_type === 'multi_label_classification',
    architectures: Array.isArray(json.architectures)
      ? json.architectures.filter((name) => typeof name === 'string')
      : [],
  };
}

function familyOf({ model_type: type, architectures }: JsonObject): ModelFamily {
  // Configs of 2019 and 2020 have no model_type; their architectures say it.
  const first: unknown = Array.isArray(architectures) ? architectures[0] : 'bert';
  const named = typeof type === 'string' ? type : typeof first === 'string' ? first : shown(first);
  for (const { family, inferenceNames } of MODEL_TYPES.values()) {
    if (family !== undefined && inferenceNames?.test(named)) return family;
  }
  throw new PruneError('unsupported', {
    where: 'config',
    what: 'architecture',
    got: named,
    wanted: `${MODEL_FAMILIES.slice(0, -1).join(', ')} or ${MODEL_FAMILIES.at(-1)}`,
  });
}

function integer(json: JsonObject, name: string, otherwise: number, most: number): number {
  const value = json[name] ?? otherwise;
  const least = name === 'pad_token_id' || name === 'num_hidden_layers' || name === 'n_layers' ? 0 : 1;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new PruneError(typeof value === 'number' && value > most ? 'limit' : 'corrupt', {
    where: 'config',
    what: name,
    got: shown(value),
    wanted: `an integer from ${least} to ${most}`,
  });
}

/** `pruned_heads`: by the number of a layer, as a string, the numbers of the heads that are gone. */
function prunedHeads({ pruned_heads: pruned }: JsonObject, layers: number, heads: number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  if (pruned === undefined || pruned === null) return counts;
  const isNumber = (value: unknown, below: number) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < below;
  const entries = typeof pruned === 'object' && !Array.isArray(pruned) ? Object.entries(pruned) : undefined;
  for (const [layer, gone] of entries ?? [[shown(pruned), undefined]]) {
    const numbers: readonly unknown[] | undefined = Array.isArray(gone) ? gone : undefined;
    if (
      numbers === undefined ||
      layer !== String(Number(layer)) ||
      !isNumber(Number(layer), layers) ||
      !numbers.every((head) => isNumber(head, heads))
    ) {
      throw new PruneError('corrupt', {
        where: 'config',
        what: 'pruned_heads',
        got: `${layer}: ${shown(gone)}`,
        wanted: `lists of heads 0 to ${heads - 1} under the numbers of layers 0 to ${layers - 1}`,
      });
    }
    counts.set(Number(layer), new Set(numbers).size);
  }
  return counts;
}

function epsilon(json: JsonObject): number {
  const value = json.layer_norm_eps ?? 1e-12;
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw new PruneError('corrupt', {
    where: 'config',
    what: 'layer_norm_eps',
    got: shown(value),
    wanted: '0 to 1',
  });
}

function activationOf(value: unknown = 'gelu'): Activation {
  if (value === 'gelu' || value === 'gelu_new' || value === 'relu') return value;
  throw new PruneError('unsupported', {
    where: 'config',
    what: 'activation',
    got: shown(value),
    wanted: 'gelu, gelu_new or relu',
  });
}

function labelsOf({ id2label }: JsonObject): readonly string[] {
  if (typeof id2label !== 'object' || id2label === null) return [];
  const labels: string[] = [];
  for (let id = 0; ; id++) {
    const label = (id2label as JsonObject)[id];
    if (typeof label !== 'string') return labels;
    labels.push(label);
  }
}
