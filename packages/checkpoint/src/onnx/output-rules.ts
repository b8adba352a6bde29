import { integerAttribute, integersOf, numberOf, type Rule, shapeOf } from './rule.js';
import type { Entry } from './values.js';

/** `x[:, 0]` by a Gather. */
export const gatherRule: Rule = ({ node, inputs }) => {
  const [x, index] = inputs;
  if (x === undefined) return undefined;
  const chosen = numberOf(index?.value);
  const axis = integerAttribute(node, 'axis', 0);
  if (chosen === undefined) return undefined;
  return picked(x, axis, chosen, index?.shape?.length === 0);
};

/** `x[:, 0:1]` or `x[..., i:i+1]` by a Slice; a Squeeze follows. */
export const sliceRule: Rule = (step) => {
  const x = step.inputs[0];
  const [begin, end, axes] = [integersOf(step, 'starts', 1), integersOf(step, 'ends', 2), integersOf(step, 'axes', 3)];
  if (x === undefined || begin?.length !== 1 || end?.length !== 1 || axes?.length !== 1) return undefined;
  if (end[0] !== begin[0] + 1) return wholeSlice(x, begin[0], end[0]);
  return picked(x, axes[0], begin[0], false);
};

/** A Slice from the beginning to the end takes everything. */
function wholeSlice(x: Entry, begin: number, end: number): Entry | undefined {
  return begin === 0 && end >= 2 ** 31 - 1 ? x : undefined;
}

function picked(x: Entry, axis: number, index: number, dropped: boolean): Entry | undefined {
  const { value, shape } = x;
  const left = (at: number) => shape && [...shape.slice(0, at), ...(dropped ? [] : [1]), ...shape.slice(at + 1)];
  if (value.kind === 'hidden') {
    return axis === 1 && index === 0 ? { value: { kind: 'first-token', x: value }, shape: left(1) } : undefined;
  }
  if (value.kind !== 'linear' || (axis !== -1 && axis !== 2)) return undefined;
  const columns = shapeOf(value.weight)[1];
  const column = index < 0 ? index + columns : index;
  return { value: { kind: 'logit', x: value, column }, shape: left((shape?.length ?? 3) - 1) };
}

/** The columns of a Linear's output, one by one. */
export const splitRule: Rule = ({ node, inputs }) => {
  const x = inputs[0];
  if (x?.value.kind !== 'linear') return undefined;
  const { value } = x;
  const axis = integerAttribute(node, 'axis', 0);
  if ((axis !== -1 && axis !== 2) || shapeOf(value.weight)[1] !== node.outputs.length) return undefined;
  return node.outputs.map((_, column) => ({ value: { kind: 'logit', x: value, column }, shape: undefined }));
};

/** `Squeeze`, `Unsqueeze`, `Flatten` and `Reshape` of data that keep the last axis, or drop one of size 1. */
export const reshapeDataRule: Rule = (step) => {
  const [x] = step.inputs;
  if (x === undefined) return undefined;
  const { value, shape } = x;
  if (value.kind === 'logit' || value.kind === 'first-token') {
    return { value, shape: value.kind === 'first-token' ? [undefined, shape?.at(-1)] : undefined };
  }
  if (step.node.op !== 'Reshape') return undefined;
  if (value.kind !== 'hidden' && value.kind !== 'linear' && value.kind !== 'product') return undefined;
  const target = step.inputs[1]?.value;
  const elements =
    target?.kind === 'constant' ? target.numbers : target?.kind === 'numbers' ? target.elements : undefined;
  const last = elements?.at(-1);
  // More than three axes are heads, which another rule cuts.
  if (elements === undefined || elements.length > 3 || last === undefined || last !== shape?.at(-1)) return undefined;
  return { value, shape: [...elements.slice(0, -1).map(() => undefined), last] };
};

/** Steps of mean pooling and of the normalization after it. */
const POOLING: ReadonlySet<string> = new Set([
  'Clip',
  'Div',
  'Expand',
  'LpNormalization',
  'Max',
  'Mul',
  'ReduceL2',
  'ReduceSum',
]);

/**
 * A sentence's embedding, which exports of sentence-transformers have as an output. It begins with hidden states times
 * the mask. Nothing of it is taken over: what pools here is told elsewhere.
 */
export const poolingRule: Rule = ({ node, inputs }) => {
  if (!POOLING.has(node.op)) return undefined;
  const values = inputs.flatMap((input) => (input === undefined ? [] : [input.value]));
  const pooled = values.find((value) => value.kind === 'pooled');
  const hidden = values.find((value) => value.kind === 'hidden');
  if (pooled !== undefined) {
    const others = values.every(({ kind }) => kind === 'pooled' || kind === 'numbers' || kind === 'constant');
    return others ? { value: pooled } : undefined;
  }
  const masked = values.some((value) => value.kind === 'numbers' && value.masked);
  return node.op === 'Mul' && hidden !== undefined && masked ? { value: { kind: 'pooled', x: hidden } } : undefined;
};
