import { PruneError } from '@prune/core';
import type { EvaluatedGraph } from './evaluate-graph.js';
import { firstUnexplained } from './first-unexplained.js';
import type {
  Activation,
  AttentionBlock,
  FeedForwardBlock,
  FirstToken,
  Hidden,
  Linear,
  Norm,
  Operation,
  TableLookup,
  Value,
} from './values.js';

/** A BERT, DistilBERT or RoBERTa, as a graph computes it. */
export interface GraphModel {
  readonly tables: readonly TableLookup[];
  readonly norm: Norm;
  readonly layers: readonly GraphLayer[];
  readonly head: GraphHead | undefined;
  /** The dense layer on the first token, where an output gives what it returns. */
  readonly pooler: Linear | undefined;
  readonly notes: readonly string[];
}

export interface GraphLayer {
  readonly attention: AttentionBlock;
  readonly attentionNorm: Norm;
  readonly feedForward: FeedForwardBlock;
  readonly outputNorm: Norm;
}

export type GraphHead =
  | { readonly kind: 'questionAnswering'; readonly outputs: Linear }
  | { readonly kind: 'tokenClassification'; readonly classifier: Linear }
  | { readonly kind: 'sequenceClassification'; readonly activation: Activation; readonly classifier: Linear }
  | {
      readonly kind: 'maskedLanguageModel';
      readonly activation: Activation;
      readonly norm: Norm;
      readonly decoder: Linear;
    };

/** More layers than any BERT has: a bound on what follows from a graph of a million nodes. */
const MAX_LAYERS = 1000;

/**
 * The model that a graph's outputs are computed by. Throws `unsupported`, with the node's name and operator, for an
 * output that is not one of a model that we know.
 */
export function modelOfGraph({ outputs, notes }: EvaluatedGraph): GraphModel {
  const found: Found = { columns: new Map(), notes: new Set(notes) };
  for (const [name, value] of outputs) readOutput(found, value, name);
  const { columns } = found;
  for (const [linear, numbers] of columns) {
    if (numbers.size !== 2) throw unsupportedNode(linear, 'columns of a Linear that are not two logits');
    setHead(found, { kind: 'questionAnswering', outputs: linear }, hiddenOf(linear));
  }
  const { last: hidden } = found;
  if (hidden === undefined) throw new PruneError('unsupported', { what: 'a graph without hidden states' });
  if (found.read !== undefined && found.read !== hidden) {
    throw new PruneError('unsupported', { what: 'a head or pooler that is not on the last layer' });
  }
  const { tables, norm, layers } = layersOf(hidden);
  return { tables, norm, layers, head: found.head, pooler: found.pooler, notes: [...found.notes] };
}

const POOLING_NOTE = 'the sentence embedding that the ONNX model computes itself is not taken over, only its layers';

interface Found {
  head?: GraphHead;
  pooler?: Linear;
  /** The hidden states after the last layer that an output needs. */
  last?: Hidden;
  /** The columns of a Linear that are outputs of their own. */
  readonly columns: Map<Linear, Set<number>>;
  /** The hidden states that the head or the pooler reads. */
  read?: Hidden;
  readonly notes: Set<string>;
}

function readOutput(found: Found, value: Value, name: string): void {
  switch (value.kind) {
    case 'hidden':
      setLast(found, value);
      return;
    case 'pooled':
    case 'first-token':
      // The embedding of a sentence.
      if (value.x.kind !== 'hidden') break;
      setLast(found, value.x);
      found.notes.add(POOLING_NOTE);
      return;
    case 'probabilities':
      // Attentions, an output that people ask for to look at.
      return;
    case 'logit': {
      const columns = found.columns.get(value.x) ?? new Set();
      found.columns.set(value.x, columns.add(value.column));
      return;
    }
    case 'activation':
      if (value.name === 'tanh' && value.x.kind === 'linear' && value.x.x.kind === 'first-token') {
        found.pooler = value.x;
        found.read = firstHidden(value.x.x, value.x);
        setLast(found, found.read);
        return;
      }
      break;
    case 'linear':
      readLogits(found, value);
      return;
    default:
  }
  throw unexplained(value, name);
}

/** Logits of one Linear, which are an output as a whole. */
function readLogits(found: Found, linear: Linear): void {
  const { x } = linear;
  if (x.kind === 'hidden') {
    setHead(found, { kind: 'tokenClassification', classifier: linear }, x);
  } else if (x.kind === 'transformed') {
    const { activation, norm } = x;
    setHead(found, { kind: 'maskedLanguageModel', activation, norm, decoder: linear }, hiddenOf(activation.x, linear));
  } else if (x.kind === 'activation' && x.x.kind === 'linear' && x.x.x.kind === 'first-token') {
    const head = { kind: 'sequenceClassification', activation: x, classifier: linear } as const;
    setHead(found, head, firstHidden(x.x.x, linear));
  } else {
    throw unexplained(x, linear.node.name);
  }
}

function hiddenOf(value: Value, at: Linear = value as Linear): Hidden {
  if (value.kind === 'linear' && value.x.kind === 'hidden') return value.x;
  throw unsupportedNode(at, 'a Linear that is not on hidden states');
}

function firstHidden({ x }: FirstToken, at: Linear): Hidden {
  if (x.kind === 'hidden') return x;
  throw unsupportedNode(at, 'a Linear that is not on hidden states');
}

function setHead(found: Found, head: GraphHead, hidden: Hidden): void {
  if (found.head !== undefined) {
    throw new PruneError('unsupported', { what: 'two heads', got: `${found.head.kind} and ${head.kind}` });
  }
  found.head = head;
  found.read = hidden;
  setLast(found, hidden);
}

/** Keeps the deeper of two hidden states: `output_hidden_states` makes all of them outputs. */
function setLast(found: Found, hidden: Hidden): void {
  if (found.last === undefined || depthOf(hidden) > depthOf(found.last)) found.last = hidden;
}

function depthOf(hidden: Hidden): number {
  let depth = 0;
  for (let at = hidden; at.block.kind !== 'embeddings' && depth <= 2 * MAX_LAYERS; at = at.block.input) depth++;
  return depth;
}

/** The layers of hidden states, from the last to the embeddings, returned in their order. */
function layersOf(last: Hidden): Pick<GraphModel, 'tables' | 'norm' | 'layers'> {
  const layers: GraphLayer[] = [];
  let at = last;
  while (at.block.kind !== 'embeddings') {
    const feedForward = at.block;
    const below = feedForward.input;
    if (feedForward.kind !== 'feed-forward-block' || below.block.kind !== 'attention-block') {
      throw unsupportedNode(feedForward.output, 'a layer without attention and feed-forward in turn');
    }
    layers.push({ attention: below.block, attentionNorm: below.norm, feedForward, outputNorm: at.norm });
    if (layers.length > MAX_LAYERS) {
      throw new PruneError('limit', {
        what: 'layers',
        got: `more than ${MAX_LAYERS}`,
        wanted: `at most ${MAX_LAYERS}`,
      });
    }
    at = below.block.input;
  }
  return { tables: at.block.tables, norm: at.norm, layers: layers.reverse() };
}

/** The error for a value that is not part of a model that we know: it names the first node that nothing explains. */
function unexplained(value: Value, output: string): PruneError {
  const node = firstUnexplained([value]);
  if (node !== undefined) {
    const { name, op, domain } = node;
    return new PruneError('unsupported', {
      what: `node "${name}"`,
      got: domain === '' ? op : `${domain}.${op}`,
      wanted: 'a computation of BERT, DistilBERT or RoBERTa',
    });
  }
  return new PruneError('unsupported', {
    what: `output "${output}"`,
    got: describe(value),
    wanted: 'hidden states, a pooler, or the logits of a head',
  });
}

function describe(value: Value): string {
  return value.kind === 'numbers' ? 'numbers that no weight decides' : value.kind;
}

function unsupportedNode({ node }: Linear | Operation, what: string): PruneError {
  return new PruneError('unsupported', { what: `node "${node.name}": ${what}`, got: node.op });
}
