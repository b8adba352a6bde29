import { gemmRule, withBias } from './linear-rules.js';
import type { OnnxAttribute } from './onnx-graph.js';
import { isAbout, numberOf, ordered, type Rule } from './rule.js';
import type { Activation, Entry, Linear, Value } from './values.js';

const SQRT_2 = Math.SQRT2;
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
/** Of the tanh form. Source: Hendrycks and Gimpel, "Gaussian Error Linear Units". */
const CUBIC = 0.044715;

/** `Relu`, `Tanh` and `Gelu` as operators of their own. */
export const activationRule: Rule = ({ node, inputs }) => {
  const x = inputs[0];
  if (x?.value.kind !== 'linear') return undefined;
  const name = nameOf(node.op, node.attributes.get('approximate'));
  // The Tanh of a GELU is one of an operation. That of a Linear is the pooler's.
  return name && { value: { kind: 'activation', name, x: x.value, node }, shape: x.shape };
};

function nameOf(op: string, approximate: OnnxAttribute | undefined): Activation['name'] | undefined {
  if (op === 'Relu') return 'relu';
  if (op === 'Tanh') return 'tanh';
  if (op !== 'Gelu') return undefined;
  return approximate?.kind === 'text' && approximate.text === 'tanh' ? 'gelu_new' : 'gelu';
}

/** onnxruntime's `FusedGemm`: a Linear and its activation. */
export const fusedGemmRule: Rule = (step) => {
  const name = step.node.attributes.get('activation');
  const made = gemmRule(step) as Entry | undefined;
  if (made?.value.kind !== 'linear' || name?.kind !== 'text') return undefined;
  const activation = nameOf(name.text, undefined);
  return (
    activation && { value: { kind: 'activation', name: activation, x: made.value, node: step.node }, shape: made.shape }
  );
};

/** onnxruntime's `BiasGelu(product, bias)` and `FastGelu(product, bias)`. */
export const biasGeluRule: Rule = ({ node, inputs }) => {
  const [x, bias] = inputs;
  const linear: Entry | undefined =
    x?.value.kind === 'product' && bias !== undefined
      ? withBias(x, x.value, bias.value)
      : bias === undefined
        ? x
        : undefined;
  if (linear?.value.kind !== 'linear') return undefined;
  const name = node.op === 'FastGelu' ? 'gelu_new' : 'gelu';
  return { value: { kind: 'activation', name, x: linear.value, node }, shape: linear.shape };
};

/** The last multiplication of a GELU that is spelled out, in whatever order its factors come. */
export const spelledGeluRule: Rule = ({ node, inputs }) => {
  const factors = inputs.flatMap((input) => (input === undefined ? [] : factorsOf(input.value)));
  if (factors.length !== 3) return undefined;
  const x = factors.find((factor): factor is Linear => factor.kind === 'linear');
  const half = factors.find((factor) => isAbout(numberOf(factor), 0.5));
  const curve = factors.find((factor) => factor.kind === 'operation');
  if (x === undefined || half === undefined || curve?.kind !== 'operation' || curve.op !== 'Add') return undefined;
  const sum = ordered(curve.inputs, (part) => isAbout(numberOf(part), 1));
  if (sum === undefined) return undefined;
  const name = curveOf(sum[1], x);
  return name && { value: { kind: 'activation', name, x, node }, shape: inputs.find((input) => input?.shape)?.shape };
};

/** The factors of a product of products, two levels deep. */
function factorsOf(value: Value): readonly Value[] {
  if (value.kind !== 'operation' || value.op !== 'Mul') return [value];
  return value.inputs;
}

function curveOf(value: Value, x: Linear): 'gelu' | 'gelu_new' | undefined {
  if (value.kind !== 'operation') return undefined;
  if (value.op === 'Erf') return isScaled(value.inputs[0], x, 1 / SQRT_2) ? 'gelu' : undefined;
  if (value.op !== 'Tanh') return undefined;
  const inner = scaledBy(value.inputs[0], SQRT_2_OVER_PI);
  if (inner?.kind !== 'operation' || inner.op !== 'Add') return undefined;
  const pair = ordered(inner.inputs, (part) => part === x);
  const cube = pair && scaledBy(pair[1], CUBIC);
  return cube !== undefined && isCube(cube, x) ? 'gelu_new' : undefined;
}

function isCube(value: Value, x: Linear): boolean {
  if (value.kind !== 'operation') return false;
  if (value.op === 'Pow') return value.inputs[0] === x && isAbout(numberOf(value.inputs[1]), 3);
  return (
    value.op === 'Mul' &&
    value.inputs.flatMap(factorsOf).every((factor) => factor === x) &&
    value.inputs.flatMap(factorsOf).length === 3
  );
}

function isScaled(value: Value, x: Value, factor: number): boolean {
  return scaledBy(value, factor) === x;
}

/** What `value` is `factor` times of. */
function scaledBy(value: Value, factor: number): Value | undefined {
  if (value.kind !== 'operation') return undefined;
  if (value.op === 'Div') {
    const number = numberOf(value.inputs[1]);
    return number !== undefined && isAbout(1 / number, factor) ? value.inputs[0] : undefined;
  }
  if (value.op !== 'Mul') return undefined;
  return ordered(value.inputs, (part) => isAbout(numberOf(part), factor))?.[1];
}
