import { checkLimit, PruneError, type Tensor, toFloat32 } from '@prune/core';
import { activationRule, biasGeluRule, fusedGemmRule, spelledGeluRule } from './activation-rules.js';
import {
  addMaskRule,
  attentionProductRule,
  foldHeadsRule,
  fusedAttentionRule,
  fusedMatMulRule,
  guardRule,
  mergeHeadsRule,
  scaleRule,
  softmaxRule,
  splitHeadsRule,
  transposeHeadsRule,
  whereMaskRule,
} from './attention-rules.js';
import { constantEntry, dequantizeRule, passRule, transposeRule } from './constant-rules.js';
import { firstUnexplained } from './first-unexplained.js';
import {
  addBiasRule,
  addLookupsRule,
  dequantizeLookupRule,
  gemmRule,
  isData,
  lookupRule,
  matMulRule,
  residualRule,
} from './linear-rules.js';
import { embedLayerNormRule, layerNormRule, meanRule, skipLayerNormRule, spelledNormRule } from './norm-rules.js';
import { inputNumbers, numbersRule, shapeRule } from './number-rules.js';
import type { OnnxGraph, OnnxNode, OnnxTensor } from './onnx-graph.js';
import { gatherRule, poolingRule, reshapeDataRule, sliceRule, splitRule } from './output-rules.js';
import {
  dynamicQuantizeRule,
  fusedProductRule,
  matMulIntegerRule,
  productScaleRule,
  scaleProductRule,
  staticDequantizeRule,
  staticQuantizeRule,
} from './quantized-rules.js';
import type { Rule, Step } from './rule.js';
import type { TensorReader } from './tensor-reader.js';
import type { Entry, Value } from './values.js';

/** What the values of a graph mean. */
export interface EvaluatedGraph {
  /** The graph's outputs, by name. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** One sentence each: what people should be told about the model. */
  readonly notes: readonly string[];
}

/** Constants of at most so many elements are read at once: numbers of formulas, shapes, and buffers of positions. */
const FEW_ELEMENTS = 16;
const FEW_INTEGERS = 8192;
/** Elements that are read so, in all: a graph has one buffer of positions and hundreds of single numbers. */
const MAX_ELEMENTS = 1 << 21;

/** The rules of each operator, in the order in which they are tried. */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  // onnxruntime's own names are unique, so that one table serves both domains.
  Add: [addLookupsRule, addBiasRule, addMaskRule, residualRule, spelledNormRule],
  Attention: [fusedAttentionRule],
  BiasGelu: [biasGeluRule],
  Cast: [passRule, castIntegersRule],
  DequantizeLinear: [staticDequantizeRule, dequantizeRule, dequantizeLookupRule],
  Div: [scaleRule],
  Dropout: [passRule],
  DynamicQuantizeLinear: [dynamicQuantizeRule],
  DynamicQuantizeMatMul: [fusedProductRule],
  EmbedLayerNormalization: [embedLayerNormRule],
  FastGelu: [biasGeluRule],
  Flatten: [reshapeDataRule],
  FusedGemm: [fusedGemmRule],
  FusedMatMul: [fusedMatMulRule],
  Gather: [lookupRule, gatherRule],
  Gelu: [activationRule],
  Gemm: [gemmRule],
  Identity: [passRule],
  LayerNormalization: [layerNormRule],
  MatMul: [matMulRule, attentionProductRule],
  MatMulInteger: [matMulIntegerRule],
  MatMulIntegerToFloat: [fusedProductRule],
  Mul: [productScaleRule, scaleProductRule, scaleRule, spelledGeluRule],
  QuantizeLinear: [staticQuantizeRule],
  ReduceMean: [meanRule],
  Relu: [activationRule],
  Reshape: [splitHeadsRule, foldHeadsRule, mergeHeadsRule, reshapeDataRule],
  Shape: [shapeRule],
  SkipLayerNormalization: [skipLayerNormRule],
  Slice: [sliceRule],
  Softmax: [softmaxRule],
  Split: [splitRule],
  Squeeze: [reshapeDataRule],
  Tanh: [activationRule],
  Transpose: [transposeRule, transposeHeadsRule],
  Unsqueeze: [reshapeDataRule],
  Where: [whereMaskRule, guardRule],
};

/** Operators that can be a step of something that a rule recognises later. */
const STEPS: ReadonlySet<string> = new Set('Add Div Erf IsNaN Mul Pow Reciprocal Sqrt Sub Tanh'.split(' '));

const DOMAINS: ReadonlySet<string> = new Set(['', 'com.microsoft']);

/**
 * Finds out what each value of the graph means, from the inputs to the outputs. What no rule knows is `unknown` and
 * throws nothing here: it can be a value that no output needs.
 * Throws `corrupt` for a value that is used before it is computed, and what reading a constant throws.
 */
export async function evaluateGraph(graph: OnnxGraph, reader: TensorReader): Promise<EvaluatedGraph> {
  const entries = new Map<string, Entry>();
  const notes = new Set<string>();
  const load = constantLoader(reader);
  for (const name of graph.inputs) entries.set(name, { value: inputNumbers(name) });
  for (const [name, tensor] of graph.initializers) entries.set(name, constantEntry(await load(tensor)));
  for (const node of graph.nodes) {
    const constant = constantOf(node);
    const made: Entry | readonly Entry[] =
      constant === undefined
        ? evaluateNode({ ...(await inputsOf(node, entries, load)), opset: graph.opset, notes })
        : constantEntry(await load(constant));
    const results = Array.isArray(made) ? (made as readonly Entry[]) : [made as Entry];
    node.outputs.forEach((name, i) => {
      if (name === '') return;
      if (entries.has(name)) throw new PruneError('corrupt', { what: 'a value that two nodes compute', tensor: name });
      entries.set(name, results[i] ?? { value: { kind: 'unknown', node } });
    });
  }
  const outputs = new Map<string, Value>();
  for (const name of graph.outputs) {
    const entry = entries.get(name);
    if (entry === undefined) throw new PruneError('corrupt', { what: 'an output that nothing computes', tensor: name });
    outputs.set(name, entry.value);
  }
  return { outputs, notes: [...notes] };
}

async function inputsOf(
  node: OnnxNode,
  entries: ReadonlyMap<string, Entry>,
  load: LoadConstant,
): Promise<Pick<Step, 'node' | 'inputs'>> {
  const inputs = node.inputs.map((name) => {
    const entry = entries.get(name);
    if (entry === undefined && name !== '') {
      throw new PruneError('corrupt', { what: `${node.op} uses a value that nothing computes before`, tensor: name });
    }
    return entry;
  });
  const value = node.op === 'ConstantOfShape' ? node.attributes.get('value') : undefined;
  // The rules see the value that is repeated as a second input.
  if (value?.kind === 'tensor') inputs[1] = constantEntry(await load(value.tensor));
  return { node, inputs };
}

function evaluateNode(step: Step): Entry | readonly Entry[] {
  const { node, inputs } = step;
  const unknown = inputs.find((input) => input?.value.kind === 'unknown');
  if (unknown !== undefined) return node.outputs.map(() => unknown);
  if (!DOMAINS.has(node.domain)) return { value: { kind: 'unknown', node } };
  for (const rule of Object.hasOwn(RULES, node.op) ? RULES[node.op] : []) {
    const made = rule(step);
    if (made !== undefined) return made;
  }
  const otherwise = numbersRule(step) ?? poolingRule(step);
  if (otherwise !== undefined) return otherwise;
  const values = inputs.flatMap((input) => (input === undefined ? [] : [input.value]));
  if (!STEPS.has(node.op) || !values.some(isData)) {
    return { value: { kind: 'unknown', node: firstUnexplained(values) ?? node } };
  }
  const shape = inputs.find((input) => input?.value.kind !== 'constant')?.shape;
  return { value: { kind: 'operation', op: node.op, inputs: values, node }, shape };
}

/** int32 sums as float32. */
function castIntegersRule({ inputs }: Step): Entry | undefined {
  return inputs[0]?.value.kind === 'integer-product' ? inputs[0] : undefined;
}

/** The tensor of a Constant node. */
function constantOf({ op, name, attributes }: OnnxNode): OnnxTensor | undefined {
  if (op !== 'Constant') return undefined;
  const value = attributes.get('value');
  if (value?.kind === 'tensor') return value.tensor;
  const numbers = (dtype: 'float32' | 'int64', all: readonly number[], shape: readonly number[]): OnnxTensor => ({
    name,
    dtype,
    shape,
    data: { kind: 'numbers', numbers: all },
  });
  const [float, integer] = [attributes.get('value_float'), attributes.get('value_int')];
  if (float?.kind === 'float') return numbers('float32', [float.float], []);
  if (integer?.kind === 'integer') return numbers('int64', [integer.integer], []);
  const [floats, integers] = [attributes.get('value_floats'), attributes.get('value_ints')];
  if (floats?.kind === 'floats') return numbers('float32', floats.floats, [floats.floats.length]);
  if (integers?.kind === 'integers') return numbers('int64', integers.integers, [integers.integers.length]);
  return undefined;
}

type LoadConstant = (tensor: OnnxTensor) => Promise<Extract<Value, { readonly kind: 'constant' }>>;

/** Makes constants, with their elements where these are few. */
function constantLoader(reader: TensorReader): LoadConstant {
  let read = 0;
  return async (tensor) => {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    const integers = tensor.dtype === 'int64' || tensor.dtype === 'int32';
    if (count > (integers ? FEW_INTEGERS : FEW_ELEMENTS)) return { kind: 'constant', tensor, transposed: false };
    read += count;
    checkLimit('too many small constants (elements)', read, MAX_ELEMENTS);
    return { kind: 'constant', tensor, transposed: false, numbers: plainNumbers(await reader.read(tensor)) };
  };
}

function plainNumbers(tensor: Tensor): readonly number[] {
  const half = tensor.dtype === 'float16' || tensor.dtype === 'bfloat16';
  return Array.from((half ? toFloat32(tensor) : tensor).data as ArrayLike<number | bigint>, Number);
}
