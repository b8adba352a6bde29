import { withBias } from './linear-rules.js';
import { inOrder, type Rule, shapeOf } from './rule.js';
import type { Entry, Product, QuantizedActivation } from './values.js';

const STATIC_NOTE =
  'the ONNX model quantizes activations with fixed ranges; here each activation gets its own range (dynamic quantization)';

/** `DynamicQuantizeLinear`: codes, scale and zero point of an activation. */
export const dynamicQuantizeRule: Rule = ({ inputs }) => {
  const [x] = inputs;
  if (x === undefined) return undefined;
  const part = (name: QuantizedActivation['part']): Entry => ({
    value: { kind: 'quantized-activation', part: name, x: x.value },
    shape: name === 'codes' ? x.shape : [],
  });
  return [part('codes'), part('scale'), part('zero-point')];
};

/** `QuantizeLinear` of an activation with a constant range, which a `DequantizeLinear` undoes. */
export const staticQuantizeRule: Rule = ({ inputs, notes }) => {
  const [x, scale] = inputs;
  if (x === undefined || scale?.value.kind !== 'constant') return undefined;
  // Numbers of a formula are quantized, too. A weight is not quantized when the model runs.
  if (x.value.kind === 'unknown' || (x.value.kind === 'constant' && x.value.numbers === undefined)) return undefined;
  notes.add(STATIC_NOTE);
  // Masks are quantized, too. The rest of the graph sees the values themselves.
  return { value: { kind: 'quantized-activation', part: 'static-codes', x: x.value }, shape: x.shape };
};

export const staticDequantizeRule: Rule = ({ inputs }) => {
  const codes = inputs[0];
  if (codes?.value.kind !== 'quantized-activation' || codes.value.part !== 'static-codes') return undefined;
  return { value: codes.value.x, shape: codes.shape };
};

/** `MatMulInteger` of an activation's codes and a weight's. */
export const matMulIntegerRule: Rule = ({ node, inputs }) => {
  const [codes, weight, zero, weightZero] = inputs.map((input) => input?.value);
  if (codes?.kind !== 'quantized-activation' || codes.part !== 'codes' || weight?.kind !== 'constant') return undefined;
  if (zero?.kind !== 'quantized-activation' || zero.part !== 'zero-point' || zero.x !== codes.x) return undefined;
  if (weightZero !== undefined && weightZero.kind !== 'constant') return undefined;
  const shape = shapeOf(weight);
  if (shape.length !== 2 || weight.quantizer !== undefined) return undefined;
  return {
    value: { kind: 'integer-product', x: codes.x, weight, zeroPoint: weightZero?.tensor, node },
    shape: inputs[0]?.shape && [...inputs[0].shape.slice(0, -1), shape[1]],
  };
};

/** The scale of an activation times the scales of a weight. */
export const productScaleRule: Rule = (step) => {
  const pair = inOrder(step, (value) => value.kind === 'quantized-activation' && value.part === 'scale');
  if (pair === undefined) return undefined;
  const [activation, scale] = pair;
  if (activation.value.kind !== 'quantized-activation' || scale.value.kind !== 'constant') return undefined;
  return { value: { kind: 'product-scale', x: activation.value.x, scale: scale.value.tensor }, shape: scale.shape };
};

/** The integers times both scales: the product of the activation and the weight. */
export const scaleProductRule: Rule = (step) => {
  const pair = inOrder(step, ({ kind }) => kind === 'integer-product');
  if (pair === undefined) return undefined;
  const [integers, scales] = pair;
  if (integers.value.kind !== 'integer-product' || scales.value.kind !== 'product-scale') return undefined;
  const { x, weight, zeroPoint, node } = integers.value;
  if (scales.value.x !== x) return undefined;
  // The scales of a matrix [in, out] belong to its columns.
  const quantizer = { scale: scales.value.scale, zeroPoint, axis: weight.transposed ? 0 : 1 };
  return { value: { kind: 'product', x, weight: { ...weight, quantizer }, node }, shape: integers.shape };
};

/**
 * onnxruntime's own operators for the whole: `DynamicQuantizeMatMul(x, codes, scales, zero points, bias)` and
 * `MatMulIntegerToFloat(codes of x, codes, scale of x, scales, zero point of x, zero points, bias)`.
 */
export const fusedProductRule: Rule = ({ node, inputs }) => {
  const fused = node.op === 'DynamicQuantizeMatMul';
  const [a, weight] = inputs;
  const scale = inputs[fused ? 2 : 3];
  const zeroPoint = inputs[fused ? 3 : 5];
  const bias = inputs[fused ? 4 : 6];
  if (a === undefined || weight?.value.kind !== 'constant' || scale?.value.kind !== 'constant') return undefined;
  if (zeroPoint !== undefined && zeroPoint.value.kind !== 'constant') return undefined;
  let x = a.value;
  if (!fused) {
    const [scaleOfX, zeroOfX] = [inputs[2]?.value, inputs[4]?.value];
    if (x.kind !== 'quantized-activation' || x.part !== 'codes') return undefined;
    if (scaleOfX?.kind !== 'quantized-activation' || scaleOfX.x !== x.x) return undefined;
    if (zeroOfX?.kind !== 'quantized-activation' || zeroOfX.x !== x.x) return undefined;
    x = x.x;
  }
  const zero = zeroPoint?.value.kind === 'constant' ? zeroPoint.value.tensor : undefined;
  const quantizer = { scale: scale.value.tensor, zeroPoint: zero, axis: weight.value.transposed ? 0 : 1 };
  const product: Product = { kind: 'product', x, weight: { ...weight.value, quantizer }, node };
  const shape = a.shape && [...a.shape.slice(0, -1), shapeOf(weight.value)[1]];
  return bias === undefined ? { value: product, shape } : withBias({ value: product, shape }, product, bias.value);
};
