import {
  type JsonObject,
  MODEL_TYPES,
  type ModelFamily,
  type ParameterNames,
  PruneError,
  parameterNames,
  shown,
} from '@prune/core';
import type { GraphHead, GraphModel } from './model-of-graph.js';
import { shapeOf } from './rule.js';
import type { Constant, Linear, Norm, TableLookup } from './values.js';

/** A module of the model under its name. */
export type NamedModule =
  | { readonly kind: 'linear'; readonly name: string; readonly weight: Constant; readonly bias: Constant }
  | { readonly kind: 'norm'; readonly name: string; readonly norm: Norm }
  | { readonly kind: 'table'; readonly name: string; readonly table: Constant }
  /** A parameter alone: the bias of a decoder that is tied to the word embeddings. */
  | { readonly kind: 'vector'; readonly name: string; readonly vector: Constant };

/** A model's modules under transformers' names, and the config.json that the graph proves. */
export interface NamedModel {
  readonly modules: readonly NamedModule[];
  readonly config: JsonObject;
}

/** The classes of transformers by head. */
const CLASSES: Readonly<Record<GraphHead['kind'], string>> = {
  questionAnswering: 'ForQuestionAnswering',
  tokenClassification: 'ForTokenClassification',
  sequenceClassification: 'ForSequenceClassification',
  maskedLanguageModel: 'ForMaskedLM',
};

/** What transformers calls the tanh form of GELU, in several spellings of one formula. */
const TANH_GELUS: ReadonlySet<string> = new Set(['gelu_fast', 'gelu_pytorch_tanh', 'gelu_python_tanh']);

/** DistilBERT has its epsilon in its code. */
const DISTILBERT_EPSILON = 1e-12;

/**
 * Names the modules of a graph as transformers does, and checks that they fit each other and `given`, the folder's
 * config.json. `isTied` tells whether a decoder is the word table. Throws `mismatch` where the graph contradicts itself
 * or the config, `unsupported` for a head that the family computes differently.
 */
export function namedModules(model: GraphModel, given: JsonObject | undefined, isTied: boolean): NamedModel {
  const family = familyOf(model, given);
  const head = headOf(model, given);
  const prefix = head === undefined ? '' : `${MODEL_TYPES.get(family)!.baseModelPrefix}.`;
  const names = parameterNames(family, prefix);
  const tables = tablesOf(model);
  const modules: NamedModule[] = [{ kind: 'table', name: names.wordEmbeddings, table: tables.words.table }];
  modules.push({ kind: 'table', name: names.positionEmbeddings, table: tables.positions.table });
  if (tables.types !== undefined) {
    modules.push({ kind: 'table', name: names.tokenTypeEmbeddings!, table: tables.types.table });
  }
  modules.push({ kind: 'norm', name: names.embeddingNorm, norm: model.norm });
  for (const [i, { attention, attentionNorm, feedForward, outputNorm }] of model.layers.entries()) {
    const layer = names.layer(i);
    const { query, key, value } = attention.attention;
    modules.push(
      ...[linear(layer.query, query), linear(layer.key, key), linear(layer.value, value)],
      linear(layer.attentionOutput, attention.output),
      { kind: 'norm', name: layer.attentionNorm, norm: attentionNorm },
      linear(layer.intermediate, feedForward.activation.x as Linear),
      linear(layer.output, feedForward.output),
      { kind: 'norm', name: layer.outputNorm, norm: outputNorm },
    );
  }
  if (model.pooler !== undefined && names.pooler !== undefined) modules.push(linear(names.pooler, model.pooler));
  if (head !== undefined) modules.push(...headModules(head, names, isTied));
  const config = provenConfig(model, family, head, tables);
  checkTransform(model, head);
  checkShapes(model, config);
  if (given !== undefined) checkConfig(config, given, family);
  return { modules: uniqueModules(modules), config };
}

/** The pooler is listed once when a head uses it, too. */
function uniqueModules(modules: readonly NamedModule[]): readonly NamedModule[] {
  return [...new Map(modules.map((module) => [module.name, module])).values()];
}

function linear(name: string, { weight, bias }: Linear): NamedModule {
  return { kind: 'linear', name, weight, bias };
}

function headModules(head: GraphHead, names: ParameterNames, isTied: boolean): readonly NamedModule[] {
  switch (head.kind) {
    case 'questionAnswering':
      return [linear(names.questionAnswering, head.outputs)];
    case 'tokenClassification':
      return [linear(names.tokenClassification, head.classifier)];
    case 'sequenceClassification': {
      const { dense, activation, classifier } = names.sequenceClassification;
      if (activation !== head.activation.name) {
        throw new PruneError('mismatch', {
          what: 'activation of the classifier',
          got: head.activation.name,
          wanted: activation,
          tensor: dense,
        });
      }
      return [linear(dense, head.activation.x as Linear), linear(classifier, head.classifier)];
    }
    default: {
      const { dense, norm, decoder, bias } = names.maskedLanguageModel;
      return [
        linear(dense, head.activation.x as Linear),
        { kind: 'norm', name: norm, norm: head.norm },
        isTied ? { kind: 'vector', name: bias, vector: head.decoder.bias } : linear(decoder, head.decoder),
      ];
    }
  }
}

/** Inference has one activation for the layers and the transform of a masked language model. */
function checkTransform({ layers }: GraphModel, head: GraphHead | undefined): void {
  const wanted = layers[0]?.feedForward.activation.name;
  if (head?.kind !== 'maskedLanguageModel' || wanted === undefined || head.activation.name === wanted) return;
  const { name } = head.activation.node;
  throw new PruneError('unsupported', { what: `node "${name}": activation`, got: head.activation.name, wanted });
}

interface Tables {
  readonly words: TableLookup;
  readonly positions: TableLookup;
  readonly types?: TableLookup;
}

function tablesOf({ tables }: GraphModel): Tables {
  const one = (by: TableLookup['by']) => {
    const found = tables.filter((table) => table.by === by);
    if (found.length > 1)
      throw new PruneError('unsupported', { what: `two tables of ${by}`, tensor: found[1].table.tensor.name });
    return found[0] as TableLookup | undefined;
  };
  const [words, positions, types] = [one('words'), one('positions'), one('types')];
  if (words === undefined || positions === undefined) {
    throw new PruneError('unsupported', {
      what: 'tables of the embeddings',
      got: tables.map(({ by }) => by).join(', '),
      wanted: 'words, positions and perhaps types',
    });
  }
  const { counted, offset, padding, node } = positions;
  // RoBERTa's first token has the position after the padding id.
  if (counted && (offset === undefined || (padding ?? offset) !== offset)) {
    const wanted = `the padding id ${padding ?? ''}`.trim();
    throw new PruneError('unsupported', {
      what: `node "${node.name}": first position`,
      got: offset ?? 'unknown',
      wanted,
    });
  }
  return { words, positions, types };
}

/** The family by config.json, or by the embeddings: RoBERTa counts positions from the ids, DistilBERT has no types. */
function familyOf({ tables }: GraphModel, given: JsonObject | undefined): ModelFamily {
  const proven = tables.some(({ counted }) => counted)
    ? 'roberta'
    : tables.some(({ by }) => by === 'types')
      ? 'bert'
      : 'distilbert';
  const type = given?.model_type;
  if (typeof type !== 'string') return proven;
  const wanted = MODEL_TYPES.get(type)?.family;
  if (wanted === proven) return wanted;
  const got = `the embeddings of ${proven}`;
  throw new PruneError(wanted === undefined ? 'unsupported' : 'mismatch', { what: `model_type ${shown(type)}`, got });
}

/** Two labels as one output are those of tokens, unless config.json says that they are a question's. */
function headOf({ head }: GraphModel, given: JsonObject | undefined): GraphHead | undefined {
  const isQuestion = String(Array.isArray(given?.architectures) ? given.architectures[0] : '').includes(
    'QuestionAnswering',
  );
  if (head?.kind !== 'tokenClassification' || !isQuestion) return head;
  return { kind: 'questionAnswering', outputs: head.classifier };
}

const CLASS_PREFIXES: Readonly<Record<ModelFamily, string>> = {
  bert: 'Bert',
  distilbert: 'DistilBert',
  roberta: 'Roberta',
};

function provenConfig(model: GraphModel, family: ModelFamily, head: GraphHead | undefined, tables: Tables): JsonObject {
  const { layers } = model;
  const hidden = tables.words.table.tensor.shape[1];
  const first = layers[0];
  const heads = first?.attention.attention.heads ?? 1;
  const intermediate = first === undefined ? hidden : shapeOf((first.feedForward.activation.x as Linear).weight)[1];
  const activation = first?.feedForward.activation.name ?? 'gelu';
  const distil = family === 'distilbert';
  return {
    model_type: family,
    architectures: [`${CLASS_PREFIXES[family]}${head === undefined ? 'Model' : CLASSES[head.kind]}`],
    vocab_size: tables.words.table.tensor.shape[0],
    max_position_embeddings: tables.positions.table.tensor.shape[0],
    [distil ? 'dim' : 'hidden_size']: hidden,
    [distil ? 'n_layers' : 'num_hidden_layers']: layers.length,
    [distil ? 'n_heads' : 'num_attention_heads']: heads,
    [distil ? 'hidden_dim' : 'intermediate_size']: intermediate,
    [distil ? 'activation' : 'hidden_act']: activation,
    ...(!distil && { type_vocab_size: tables.types?.table.tensor.shape[0], layer_norm_eps: epsilonOf(model.norm) }),
    ...(tables.positions.counted && { pad_token_id: tables.positions.offset }),
  };
}

/** The decimal that was rounded to the graph's float32. */
function epsilonOf({ epsilon }: Norm): number {
  return Number(epsilon.toPrecision(7));
}

/** Throws `mismatch` for a weight whose shape does not fit the others, and for layers that compute differently. */
function checkShapes(model: GraphModel, config: JsonObject): void {
  const { layers, norm, tables } = model;
  const hidden = tables[0].table.tensor.shape[1];
  for (const { table } of tables) expectShape(table, [table.tensor.shape[0], hidden]);
  const [first] = layers;
  const inner = first === undefined ? 0 : shapeOf((first.feedForward.activation.x as Linear).weight)[1];
  const norms = [norm];
  for (const { attention, attentionNorm, feedForward, outputNorm } of layers) {
    const { query, key, value, heads, size } = attention.attention;
    for (const { weight } of [query, key, value]) expectShape(weight, [hidden, heads * size]);
    expectShape(attention.output.weight, [heads * size, hidden]);
    expectShape((feedForward.activation.x as Linear).weight, [hidden, inner]);
    expectShape(feedForward.output.weight, [inner, hidden]);
    norms.push(attentionNorm, outputNorm);
    const same = first.attention.attention;
    const differs = heads !== same.heads || size !== same.size;
    if (differs || feedForward.activation.name !== first.feedForward.activation.name) {
      const { name, op } = feedForward.output.node;
      throw new PruneError('unsupported', { what: `node "${name}": a layer unlike the first`, got: op });
    }
    if (heads * size !== hidden) {
      throw new PruneError('unsupported', {
        what: 'heads',
        got: `${heads} of ${size}`,
        wanted: `${hidden} in all`,
        tensor: query.weight.tensor.name,
      });
    }
  }
  for (const { weight, bias, epsilon } of norms) {
    for (const vector of [weight, bias]) expectShape(vector, [hidden]);
    if (!isNear(epsilon, norm.epsilon)) {
      throw new PruneError('unsupported', {
        what: 'epsilon of a LayerNorm',
        got: epsilon,
        wanted: `${norm.epsilon}, as the first has`,
        tensor: weight.tensor.name,
      });
    }
  }
  if (config.model_type === 'distilbert' && !isHalf(norm) && Math.abs(norm.epsilon - DISTILBERT_EPSILON) > 1e-15) {
    throw new PruneError('unsupported', {
      what: 'epsilon of DistilBERT',
      got: norm.epsilon,
      wanted: DISTILBERT_EPSILON,
    });
  }
}

function isHalf({ weight }: Norm): boolean {
  return weight.tensor.dtype === 'float16';
}

function expectShape(constant: Constant, wanted: readonly number[]): void {
  const got = constant.columns === undefined || constant.tensor.shape.length === 2 ? shapeOf(constant) : wanted;
  if (got.length === wanted.length ? String(got) === String(wanted) : got.at(-1) === wanted[0] && wanted.length === 1)
    return;
  throw new PruneError('mismatch', {
    what: 'shape of a weight as the graph uses it',
    got: `[${got.join(', ')}]`,
    wanted: `[${wanted.join(', ')}]`,
    tensor: constant.tensor.name,
  });
}

/** Throws `mismatch` where config.json says something else than the graph computes. */
function checkConfig(proven: JsonObject, given: JsonObject, family: ModelFamily): void {
  for (const [name, value] of Object.entries(proven)) {
    const got = given[name];
    if (got === undefined || got === null || name === 'architectures' || name === 'model_type') continue;
    if (agrees(name, got, value)) continue;
    throw new PruneError('mismatch', {
      what: `"${name}" of config.json (${family})`,
      got: shown(got),
      wanted: `${shown(value)}, as the graph computes`,
    });
  }
}

function agrees(name: string, given: unknown, proven: unknown): boolean {
  // float16 has no 1e-12.
  if (name === 'layer_norm_eps') return proven === 0 || isNear(Number(proven), Number(given));
  return given === proven || (proven === 'gelu_new' && TANH_GELUS.has(String(given)));
}

/** Whether two epsilons are the same but for the rounding of one of them. */
function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-3 * b;
}
