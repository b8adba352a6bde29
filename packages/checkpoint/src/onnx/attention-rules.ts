import { floatAttribute, inOrder, integerAttribute, isAbout, numberOf, type Rule, shapeOf } from './rule.js';
import type { Dimension, Entry, Heads, Linear, Value } from './values.js';

/** The axis that {@link foldHeadsRule} makes of two. */
const BATCH_AND_HEADS = 4;

/** `[batch, tokens, heads * size]` as `[batch, tokens, heads, size]`. */
export const splitHeadsRule: Rule = ({ inputs }) => {
  const [x, target] = inputs;
  if (x?.value.kind !== 'linear' || target === undefined) return undefined;
  const elements = elementsOf(target.value);
  if (elements?.length !== 4) return undefined;
  const found = headsOf(shapeOf(x.value.weight)[1], elements[2], elements[3]);
  if (found === undefined) return undefined;
  const value: Heads = { kind: 'heads', x: x.value, ...found, axes: [0, 1, 2, 3], factor: 1 };
  return { value, shape: [x.shape?.[0], x.shape?.[1], found.heads, found.size] };
};

function elementsOf(value: Value): readonly Dimension[] | undefined {
  if (value.kind === 'constant') return value.numbers;
  return value.kind === 'numbers' ? value.elements : undefined;
}

/** The number of heads and their size, where the graph states one of them at least. */
function headsOf(width: number, heads: Dimension, size: Dimension) {
  const known = (value: Dimension) => (value !== undefined && Number.isInteger(value) && value > 0 ? value : undefined);
  const [h, s] = [known(heads), known(size)];
  const found = { heads: h ?? width / (s ?? 0), size: s ?? width / (h ?? 0) };
  const exact = Number.isInteger(found.heads) && Number.isInteger(found.size);
  return exact && found.heads * found.size === width ? found : undefined;
}

export const transposeHeadsRule: Rule = ({ node, inputs }) => {
  const x = inputs[0];
  if (x?.value.kind !== 'heads' && x?.value.kind !== 'context') return undefined;
  const perm = node.attributes.get('perm');
  const { value } = x;
  if (perm?.kind !== 'integers' || [...perm.integers].sort().join() !== [...value.axes.keys()].join()) return undefined;
  const axes = perm.integers.map((axis) => value.axes[axis]);
  return { value: { ...value, axes }, shape: x.shape && perm.integers.map((axis) => x.shape![axis]) };
};

/**
 * `[batch, heads, tokens, size]` as `[batch * heads, tokens, size]`, and back: PyTorch's exporter transposes the keys
 * in this form.
 */
export const foldHeadsRule: Rule = ({ inputs }) => {
  const [x, target] = inputs;
  if (x?.value.kind !== 'heads' || target === undefined) return undefined;
  const { value } = x;
  const elements = elementsOf(target.value);
  if (elements === undefined) return undefined;
  const [first, second, ...others] = value.axes;
  if (first === 0 && second === 2 && elements.length === 3) {
    return {
      value: { ...value, axes: [BATCH_AND_HEADS, ...others] },
      shape: [undefined, ...(x.shape?.slice(2) ?? [])],
    };
  }
  const fits = elements[1] === undefined || elements[1] === value.heads;
  if (first !== BATCH_AND_HEADS || elements.length !== 4 || !fits) return undefined;
  return {
    value: { ...value, axes: [0, 2, second, ...others] },
    shape: [undefined, value.heads, ...(x.shape?.slice(1) ?? [])],
  };
};

/** Heads or scores times a number: the factor of attention can stand before or after the product. */
export const scaleRule: Rule = (step) => {
  const { op } = step.node;
  const pair = op === 'Div' ? step.inputs : inOrder(step, ({ kind }) => kind === 'heads' || kind === 'scores');
  const [x, by] = pair ?? [];
  if (x?.value.kind !== 'heads' && x?.value.kind !== 'scores') return undefined;
  if (x.value.kind === 'scores' && x.value.masked) return undefined;
  const number = numberOf(by?.value);
  if (number === undefined) return undefined;
  const factor = op === 'Div' ? x.value.factor / number : x.value.factor * number;
  return { value: { ...x.value, factor }, shape: x.shape };
};

/** Queries times keys, and probabilities times values. */
export const attentionProductRule: Rule = ({ inputs }) => {
  const [a, b] = inputs.map((input) => input?.value);
  if (b?.kind !== 'heads') return undefined;
  if (a?.kind === 'heads') {
    const fits = String(a.axes) === '0,2,1,3' && String(b.axes) === '0,2,3,1' && a.heads === b.heads;
    return fits
      ? { value: { kind: 'scores', query: a, key: b, factor: a.factor * b.factor, masked: false } }
      : undefined;
  }
  if (a?.kind !== 'probabilities') return undefined;
  if (String(b.axes) !== '0,2,1,3' || b.factor !== 1 || b.heads !== a.scores.query.heads) return undefined;
  const shape = [undefined, b.heads, undefined, b.size];
  return { value: { kind: 'context', scores: a.scores, value: b, axes: [0, 2, 1, 3] }, shape };
};

/** onnxruntime's `FusedMatMul`: the product of queries and keys with the factor of attention in it. */
export const fusedMatMulRule: Rule = (step) => {
  const { node, inputs } = step;
  const b = inputs[1];
  const turnedOtherwise = ['transA', 'transBatchA', 'transBatchB'].some(
    (name) => integerAttribute(node, name, 0) !== 0,
  );
  if (b?.value.kind !== 'heads' || turnedOtherwise) return undefined;
  const { axes } = b.value;
  const turned = integerAttribute(node, 'transB', 0) === 0 ? axes : [axes[0], axes[1], axes[3], axes[2]];
  const made = attentionProductRule({ ...step, inputs: [inputs[0], { ...b, value: { ...b.value, axes: turned } }] });
  const product = made as Entry | undefined;
  if (product?.value.kind !== 'scores') return undefined;
  return { value: { ...product.value, factor: product.value.factor * floatAttribute(node, 'alpha', 1) } };
};

/** The mask, added to the scores. */
export const addMaskRule: Rule = (step) => {
  const pair = inOrder(step, ({ kind }) => kind === 'scores');
  const [scores, mask] = pair ?? [];
  if (scores?.value.kind !== 'scores' || !isMask(mask?.value)) return undefined;
  return { value: { ...scores.value, masked: true }, shape: scores.shape };
};

/** `Where(mask, scores, lowest)` and `Where(mask, lowest, scores)`. */
export const whereMaskRule: Rule = ({ inputs }) => {
  const [condition, yes, no] = inputs;
  const scores = yes?.value.kind === 'scores' ? yes : no;
  const lowest = scores === yes ? no : yes;
  if (scores?.value.kind !== 'scores' || !isMask(condition?.value)) return undefined;
  if (lowest?.value.kind !== 'constant' && lowest?.value.kind !== 'numbers') return undefined;
  return { value: { ...scores.value, masked: true }, shape: scores.shape };
};

/** A padding mask: computed from the inputs, without a comparison of positions, which would make it causal. */
function isMask(value: Value | undefined): boolean {
  return value?.kind === 'numbers' && !value.causal;
}

export const softmaxRule: Rule = ({ node, inputs, opset }) => {
  const x = inputs[0];
  // Before opset 13 the default was 1, and all axes from there on counted as one.
  const axis = integerAttribute(node, 'axis', opset < 13 ? 1 : -1);
  if (x?.value.kind !== 'scores' || (axis !== -1 && axis !== 3)) return undefined;
  // 1 / sqrt(size) is the only factor that attention has here.
  if (!isAbout(x.value.factor, 1 / Math.sqrt(x.value.query.size))) return undefined;
  return { value: { kind: 'probabilities', scores: x.value }, shape: x.shape };
};

/** The guard of scaled_dot_product_attention: rows in which everything is masked become 0 instead of NaN. */
export const guardRule: Rule = ({ inputs }) => {
  const values = inputs.flatMap((input) => (input === undefined ? [] : [input.value]));
  const probabilities = values.find(({ kind }) => kind === 'probabilities');
  const plain = values.every((value) => value === probabilities || isGuard(value, probabilities));
  return plain ? inputs.find((input) => input?.value === probabilities) : undefined;
};

function isGuard(value: Value, probabilities: Value | undefined): boolean {
  if (value.kind === 'operation') return value.op === 'IsNaN' && value.inputs[0] === probabilities;
  return numberOf(value) === 0 || (value.kind === 'numbers' && value.pattern === 'zeros');
}

/** The heads side by side again. */
export const mergeHeadsRule: Rule = ({ inputs }) => {
  const [x, target] = inputs;
  if (x?.value.kind !== 'context' || String(x.value.axes) !== '0,1,2,3' || target === undefined) return undefined;
  const { scores, value } = x.value;
  const width = value.heads * value.size;
  const last = elementsOf(target.value)?.at(-1);
  if (last !== undefined && last !== -1 && last !== width) return undefined;
  const [query, key] = [scores.query.x, scores.key.x] as const;
  return {
    value: { kind: 'attention', query, key, value: value.x, heads: value.heads, size: value.size },
    shape: [x.shape?.[0], x.shape?.[1], width],
  };
};

/** onnxruntime's `Attention(x, weights, bias, mask)`: the three Linears lie side by side in one matrix. */
export const fusedAttentionRule: Rule = ({ node, inputs }) => {
  const [x, weight, bias, mask, ...others] = inputs;
  if (x?.value.kind !== 'hidden' || weight?.value.kind !== 'constant' || bias?.value.kind !== 'constant')
    return undefined;
  if (others.some((input) => input !== undefined) || integerAttribute(node, 'unidirectional', 0) !== 0)
    return undefined;
  if (mask !== undefined && mask.value.kind !== 'numbers') return undefined;
  const heads = integerAttribute(node, 'num_heads', 0);
  const [rows, columns] = weight.value.tensor.shape;
  const width = columns / 3;
  if (columns !== 3 * rows || node.attributes.has('scale') || node.attributes.has('qkv_hidden_sizes')) return undefined;
  if (!(heads > 0 && width % heads === 0)) return undefined;
  const [from, matrix, vector] = [x.value, weight.value, bias.value];
  const part = (i: number): Linear => ({
    kind: 'linear',
    x: from,
    weight: { ...matrix, columns: [i * width, (i + 1) * width] },
    bias: { ...vector, columns: [i * width, (i + 1) * width] },
    node,
  });
  const value: Value = { kind: 'attention', query: part(0), key: part(1), value: part(2), heads, size: width / heads };
  return { value, shape: x.shape } satisfies Entry;
};
