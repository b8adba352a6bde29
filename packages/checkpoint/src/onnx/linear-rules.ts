import { isFloat } from './constant-rules.js';
import { constantNumbers } from './number-rules.js';
import type { OnnxNode } from './onnx-graph.js';
import { floatAttribute, inOrder, integerAttribute, isVector, ordered, type Rule, shapeOf } from './rule.js';
import type { Data, Dimension, Entry, Product, TableLookup, Value } from './values.js';

/** Rows of an embedding table: `Gather(table, ids)`. */
export const lookupRule: Rule = ({ node, inputs: [table, index] }) => lookup(node, table, index);

/** What a table gives for some ids. */
export function lookup(node: OnnxNode, table: Entry | undefined, index: Entry | undefined): Entry | undefined {
  if (table?.value.kind !== 'constant' || index === undefined) return undefined;
  const { value } = table;
  if (value.tensor.shape.length !== 2 || value.transposed || integerAttribute(node, 'axis', 0) !== 0) return undefined;
  if (!isFloat(value) && value.tensor.dtype !== 'int8' && value.tensor.dtype !== 'uint8') return undefined;
  const found = tableOf(index.value);
  if (found === undefined) return undefined;
  const width = value.tensor.shape[1];
  return {
    value: { kind: 'lookup', tables: [{ ...found, table: value, node }] },
    shape: [undefined, undefined, width],
  };
}

/** Which table the ids choose from. */
function tableOf(index: Value): Omit<TableLookup, 'table' | 'node'> | undefined {
  const numbers = index.kind === 'constant' ? constantNumbers(index) : index;
  if (numbers.kind !== 'numbers') return undefined;
  const { input, pattern, counted, padding, offset } = numbers;
  if (input !== undefined) {
    if (/type|segment/i.test(input)) return { by: 'types', counted };
    if (/position/i.test(input)) return { by: 'positions', counted };
    return { by: 'words', counted };
  }
  if (counted) return { by: 'positions', counted, padding, offset };
  if (pattern === 'counting') return { by: 'positions', counted };
  return pattern === 'zeros' ? { by: 'types', counted } : undefined;
}

/** A table whose codes are dequantized after the lookup, as onnxruntime does it. */
export const dequantizeLookupRule: Rule = ({ inputs }) => {
  const [looked, scale, zeroPoint] = inputs;
  if (looked?.value.kind !== 'lookup' || scale?.value.kind !== 'constant') return undefined;
  const [found, ...others] = looked.value.tables;
  const onlyScale = scale.value.tensor.shape.every((size) => size === 1);
  if (others.length > 0 || found.table.quantizer !== undefined || isFloat(found.table) || !onlyScale) return undefined;
  if (zeroPoint !== undefined && zeroPoint.value.kind !== 'constant') return undefined;
  const zero = zeroPoint?.value.kind === 'constant' ? zeroPoint.value.tensor : undefined;
  const table = { ...found.table, quantizer: { scale: scale.value.tensor, zeroPoint: zero, axis: 0 } };
  return { value: { kind: 'lookup', tables: [{ ...found, table }] }, shape: looked.shape };
};

/** The sum of two lookups. */
export const addLookupsRule: Rule = ({ inputs }) => {
  const [a, b] = inputs;
  if (a?.value.kind !== 'lookup' || b?.value.kind !== 'lookup') return undefined;
  const tables = [...a.value.tables, ...b.value.tables];
  return tables.length > 3 ? undefined : { value: { kind: 'lookup', tables }, shape: a.shape };
};

/** `x` times a constant matrix. */
export const matMulRule: Rule = ({ node, inputs }) => {
  const [x, weight] = inputs;
  if (x === undefined || weight?.value.kind !== 'constant' || !isData(x.value)) return undefined;
  const shape = shapeOf(weight.value);
  if (shape.length !== 2) return undefined;
  return { value: { kind: 'product', x: x.value, weight: weight.value, node }, shape: withLast(x, shape[1]) };
};

/** `Gemm`, which adds the bias as well. */
export const gemmRule: Rule = ({ node, inputs }) => {
  const [x, weight, bias] = inputs;
  if (x === undefined || weight?.value.kind !== 'constant' || !isData(x.value)) return undefined;
  const ones = floatAttribute(node, 'alpha', 1) === 1 && floatAttribute(node, 'beta', 1) === 1;
  if (!ones || integerAttribute(node, 'transA', 0) !== 0 || weight.value.tensor.shape.length !== 2) return undefined;
  const turned = integerAttribute(node, 'transB', 0) !== 0;
  const matrix = turned ? { ...weight.value, transposed: !weight.value.transposed } : weight.value;
  const product: Product = { kind: 'product', x: x.value, weight: matrix, node };
  const shape = withLast(x, shapeOf(matrix)[1]);
  return bias === undefined ? { value: product, shape } : withBias({ value: product, shape }, product, bias.value);
};

/** A product and its bias. */
export const addBiasRule: Rule = (step) => {
  const pair = inOrder(step, ({ kind }) => kind === 'product');
  if (pair === undefined) return undefined;
  const [product, bias] = pair;
  return product.value.kind === 'product' ? withBias(product, product.value, bias.value) : undefined;
};

export function withBias(entry: Entry, product: Product, bias: Value): Entry | undefined {
  if (bias.kind !== 'constant' || !isVector(bias, shapeOf(product.weight)[1])) return undefined;
  const { x, weight, node } = product;
  return { value: { kind: 'linear', x, weight, bias, node }, shape: entry.shape };
}

/** A Linear's output added to the hidden states that went into the block. */
export const residualRule: Rule = ({ inputs }) => {
  const [a, b] = inputs;
  const pair = ordered(
    [a?.value, b?.value].filter((value) => value !== undefined),
    ({ kind }) => kind === 'linear',
  );
  if (pair === undefined) return undefined;
  const [branch, input] = pair;
  if (branch.kind !== 'linear' || input.kind !== 'hidden') return undefined;
  return { value: { kind: 'residual', branch, input }, shape: a?.shape ?? b?.shape };
};

export function isData(value: Value): value is Data {
  return value.kind !== 'constant' && value.kind !== 'numbers' && value.kind !== 'unknown';
}

function withLast(x: Entry, last: number): readonly Dimension[] | undefined {
  return x.shape && [...x.shape.slice(0, -1), last];
}
