import { integerAttribute, type Rule, shapeOf } from './rule.js';
import type { Constant, Entry } from './values.js';

/** ONNX's numbers of float32, float16, float64 and bfloat16. */
const FLOAT_TYPES: ReadonlySet<number> = new Set([1, 10, 11, 16]);

export function isFloat({ tensor }: Constant): boolean {
  return ['float32', 'float16', 'bfloat16', 'float64'].includes(tensor.dtype);
}

export function constantEntry(value: Constant): Entry {
  return { value, shape: shapeOf(value) };
}

/** `Identity`, and `Cast` of a float to a float: every element stays. A dropout does nothing when a model is run. */
export const passRule: Rule = ({ node, inputs }) => {
  const entry = inputs[0];
  if (entry === undefined) return undefined;
  const { value } = entry;
  if (node.op === 'Identity') return entry;
  if (node.op === 'Dropout') return value.kind === 'numbers' ? undefined : entry;
  if (node.op !== 'Cast' || !FLOAT_TYPES.has(integerAttribute(node, 'to', 0))) return undefined;
  if (value.kind === 'numbers') return undefined;
  if (value.kind !== 'constant') return entry;
  // A wider float holds the same numbers. A narrower one would round them.
  const to = integerAttribute(node, 'to', 0);
  const wide = to === 1 || to === 11;
  return isFloat(value) && (wide || value.tensor.dtype === 'float16') ? entry : undefined;
};

/** A weight that the graph transposes. */
export const transposeRule: Rule = ({ node, inputs }) => {
  const value = inputs[0]?.value;
  if (value?.kind !== 'constant' || value.tensor.shape.length !== 2) return undefined;
  const perm = node.attributes.get('perm');
  const turns = perm === undefined || (perm.kind === 'integers' && String(perm.integers) === '1,0');
  if (!turns) return undefined;
  return constantEntry({ ...value, transposed: !value.transposed });
};

/** A weight that is stored as integers. */
export const dequantizeRule: Rule = ({ node, inputs }) => {
  const [codes, scale, zeroPoint] = inputs.map((input) => input?.value);
  if (codes?.kind !== 'constant' || codes.quantizer !== undefined || scale?.kind !== 'constant') return undefined;
  if (!['int8', 'uint8', 'int32'].includes(codes.tensor.dtype) || codes.transposed) return undefined;
  if (zeroPoint !== undefined && zeroPoint.kind !== 'constant') return undefined;
  const rank = codes.tensor.shape.length;
  const axis = integerAttribute(node, 'axis', 1);
  const quantizer = { scale: scale.tensor, zeroPoint: zeroPoint?.tensor, axis: axis < 0 ? axis + rank : axis };
  if (node.attributes.has('block_size') && integerAttribute(node, 'block_size', 0) !== 0) return undefined;
  return constantEntry({ ...codes, quantizer, numbers: realNumbers(codes, scale, zeroPoint) });
};

/** The few elements of a constant, dequantized: a QDQ model stores even the numbers of its GELU as codes. */
function realNumbers(codes: Constant, scale: Constant, zeroPoint?: Constant): readonly number[] | undefined {
  if (scale.numbers?.length !== 1) return undefined;
  const [factor] = scale.numbers;
  const zero = zeroPoint?.numbers?.[0] ?? 0;
  return codes.numbers?.map((code) => Math.fround((code - zero) * factor));
}
