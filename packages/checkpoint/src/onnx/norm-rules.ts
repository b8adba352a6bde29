import { lookup, withBias } from './linear-rules.js';
import {
  floatAttribute,
  inOrder,
  integerAttribute,
  integersOf,
  isAbout,
  isVector,
  numberOf,
  ordered,
  type Rule,
  type Step,
} from './rule.js';
import type { Entry, Norm, Operation, TableLookup, Value } from './values.js';

/**
 * onnxruntime's `EmbedLayerNormalization(ids, types, words, positions, table of types, weight, bias, mask)`: the hidden
 * states before the first layer, and the number of tokens that the mask leaves.
 */
export const embedLayerNormRule: Rule = (step) => {
  const [ids, types, words, positions, typeTable, weight, bias, mask, positionIds] = step.inputs;
  if (positionIds !== undefined) return undefined;
  const counting: Entry = {
    value: { kind: 'numbers', pattern: 'counting', masked: false, causal: false, counted: false },
  };
  const parts = [lookup(step.node, words, ids), lookup(step.node, positions, counting)];
  if (typeTable !== undefined) parts.push(lookup(step.node, typeTable, types));
  const tables: TableLookup[] = [];
  for (const part of parts) {
    if (part?.value.kind !== 'lookup') return undefined;
    tables.push(...part.value.tables);
  }
  const x: Entry = { value: { kind: 'lookup', tables }, shape: parts[0]?.shape };
  const hidden = normalized(step, x, weight?.value, bias?.value, floatAttribute(step.node, 'epsilon', 1e-12));
  const masked = mask?.value.kind === 'numbers' && mask.value.masked;
  return hidden && [hidden, { value: { kind: 'numbers', masked, causal: false, counted: false } }];
};

/** `LayerNormalization` of ONNX and of onnxruntime. */
export const layerNormRule: Rule = (step) => {
  const [x, weight, bias] = step.inputs;
  const axis = integerAttribute(step.node, 'axis', -1);
  if (x === undefined || (axis !== -1 && axis !== (x.shape?.length ?? 3) - 1)) return undefined;
  return normalized(step, x, weight?.value, bias?.value, floatAttribute(step.node, 'epsilon', 1e-5));
};

/** onnxruntime's `SkipLayerNormalization(x, skip, weight, bias, bias of x)`: the LayerNorm of a sum. */
export const skipLayerNormRule: Rule = (step) => {
  const [x, skip, weight, bias, xBias] = step.inputs;
  if (x === undefined || skip === undefined) return undefined;
  const added = sumOf(x, skip, xBias) ?? sumOf(skip, x, xBias);
  return added && normalized(step, added, weight?.value, bias?.value, floatAttribute(step.node, 'epsilon', 1e-12));
};

function sumOf(branch: Entry, input: Entry, bias: Entry | undefined): Entry | undefined {
  if (input.value.kind !== 'hidden') return undefined;
  const linear = bias && branch.value.kind === 'product' ? withBias(branch, branch.value, bias.value) : branch;
  if (linear?.value.kind !== 'linear' || (bias !== undefined && linear === branch)) return undefined;
  return { value: { kind: 'residual', branch: linear.value, input: input.value }, shape: input.shape };
}

/** The last step of a LayerNorm that is spelled out: `(x - mean) / sqrt(variance + epsilon) * weight + bias`. */
export const spelledNormRule: Rule = (step) => {
  const pair = inOrder(step, (value) => isOperation(value, 'Mul'));
  if (pair === undefined || pair[0].value.kind !== 'operation') return undefined;
  const scaled = ordered(pair[0].value.inputs, ({ kind }) => kind === 'constant');
  if (scaled === undefined) return undefined;
  const [weight, ratio] = scaled;
  const found = ratioOf(ratio);
  if (found === undefined) return undefined;
  return normalized(step, { value: found.x, shape: pair[0].shape }, weight, pair[1].value, found.epsilon);
};

/** `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)`, with a division or a reciprocal. */
function ratioOf(value: Value): { readonly x: Value; readonly epsilon: number } | undefined {
  if (value.kind !== 'operation') return undefined;
  let [centred, root]: readonly (Value | undefined)[] = value.inputs;
  if (value.op === 'Mul') {
    const pair = ordered(value.inputs, (factor) => isOperation(factor, 'Reciprocal'));
    centred = pair?.[1];
    root = pair?.[0].kind === 'operation' ? pair[0].inputs[0] : undefined;
  } else if (value.op !== 'Div') return undefined;
  if (centred?.kind !== 'operation' || centred.op !== 'Sub') return undefined;
  const [x, mean] = centred.inputs;
  if (!isOperation(mean, 'ReduceMean') || mean.inputs[0] !== x) return undefined;
  if (root === undefined || !isOperation(root, 'Sqrt')) return undefined;
  const sum = root.inputs[0];
  if (!isOperation(sum, 'Add')) return undefined;
  const pair = ordered(sum.inputs, (part) => numberOf(part) !== undefined);
  if (pair === undefined) return undefined;
  const variance = pair[1];
  if (!isOperation(variance, 'ReduceMean') || !isSquare(variance.inputs[0], centred)) return undefined;
  return { x, epsilon: numberOf(pair[0])! };
}

function isSquare(value: Value, of: Operation): boolean {
  if (value.kind !== 'operation') return false;
  if (value.op === 'Mul') return value.inputs[0] === of && value.inputs[1] === of;
  if (value.op !== 'Pow') return false;
  const [base, exponent] = value.inputs;
  // Some exporters compute x - mean(x) twice.
  return isAbout(numberOf(exponent), 2) && (base === of || (isOperation(base, 'Sub') && sameInputs(base, of)));
}

function sameInputs(a: Operation, b: Operation): boolean {
  const [x, mean] = a.inputs;
  return x === b.inputs[0] && isOperation(mean, 'ReduceMean') && mean.inputs[0] === x;
}

/** A mean over the last axis, as a step of a LayerNorm. */
export const meanRule: Rule = (step) => {
  const x = step.inputs[0];
  const axes = integersOf(step, 'axes', 1);
  if (x === undefined || x.value.kind === 'constant' || x.value.kind === 'numbers') return undefined;
  if (axes?.length !== 1 || (axes[0] !== -1 && axes[0] !== (x.shape?.length ?? 3) - 1)) return undefined;
  if (integerAttribute(step.node, 'keepdims', 1) !== 1) return undefined;
  return { value: { kind: 'operation', op: 'ReduceMean', inputs: [x.value], node: step.node } };
};

function isOperation(value: Value, op: string): value is Operation {
  return value.kind === 'operation' && value.op === op;
}

/** Hidden states, or the transform of a masked language model, by what is normalized. */
function normalized(
  { node }: Step,
  { value: x, shape }: Entry,
  weight: Value | undefined,
  bias: Value | undefined,
  epsilon: number,
): Entry | undefined {
  if (weight?.kind !== 'constant' || bias?.kind !== 'constant' || !isVector(weight) || !isVector(bias))
    return undefined;
  const norm: Norm = { weight, bias, epsilon };
  const value = normalizedValue(x, norm);
  if (value !== undefined) return { value, shape };
  return { value: { kind: 'operation', op: node.op, inputs: [x], node }, shape };
}

function normalizedValue(x: Value, norm: Norm): Value | undefined {
  if (x.kind === 'lookup') return { kind: 'hidden', block: { kind: 'embeddings', tables: x.tables }, norm };
  if (x.kind === 'activation' && x.x.kind === 'linear') return { kind: 'transformed', activation: x, norm };
  if (x.kind !== 'residual') return undefined;
  const { branch: output, input } = x;
  if (output.x.kind === 'attention') {
    const attention = output.x;
    const same = [attention.query, attention.key, attention.value].every((linear) => linear.x === input);
    return same ? { kind: 'hidden', block: { kind: 'attention-block', input, attention, output }, norm } : undefined;
  }
  if (output.x.kind !== 'activation') return undefined;
  const activation = output.x;
  const inner = activation.x;
  if (inner.kind !== 'linear' || inner.x !== input) return undefined;
  return { kind: 'hidden', block: { kind: 'feed-forward-block', input, activation, output }, norm };
}
