import type { OnnxNode } from './onnx-graph.js';
import type { Value } from './values.js';

/** Values that are looked at on the way: a layer has about 50. */
const MOST_VALUES = 200;

/**
 * The first node, in the order of the computation, that no rule took as a part of something, among those that a value
 * is computed from. `undefined` where every one is explained, or the value is too far from it.
 */
export function firstUnexplained(values: readonly Value[]): OnnxNode | undefined {
  let found: OnnxNode | undefined;
  const seen = new Set<Value>(values);
  // A set is visited in the order of its insertions, those meanwhile included, so that what is deepest comes last.
  for (const value of seen) {
    if (value.kind === 'unknown' || value.kind === 'operation') found = value.node;
    if (seen.size > MOST_VALUES) break;
    for (const input of inputsOf(value)) seen.add(input);
  }
  return found;
}

/** What a value is computed from, as far as the encoder's next hidden states. */
function inputsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'operation':
      return value.inputs;
    case 'linear':
    case 'activation':
    case 'product':
    case 'heads':
    case 'first-token':
    case 'logit':
      return [value.x];
    case 'scores':
      return [value.query, value.key];
    case 'probabilities':
      return [value.scores];
    case 'context':
      return [value.scores, value.value];
    case 'residual':
      return [value.branch];
    case 'attention':
      return [value.query, value.key, value.value];
    default:
      return [];
  }
}
