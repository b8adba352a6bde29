import {
  type ByteSource,
  DEFAULT_LIMITS,
  type JsonObject,
  type Limits,
  locateError,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  type RandomAccess,
  type Tensor,
  type TensorInfo,
  toFloat32,
} from '@prune/core';
import type { Checkpoint, OpenOptions } from './checkpoint.js';
import {
  dtypeOf,
  readFloats,
  readLinearMatrix,
  readQuantizedLinear,
  readQuantizedTable,
  rowQuantizers,
} from './onnx/constant-values.js';
import { evaluateGraph } from './onnx/evaluate-graph.js';
import { isTiedDecoder } from './onnx/is-tied-decoder.js';
import { modelOfGraph } from './onnx/model-of-graph.js';
import { type NamedModule, namedModules } from './onnx/named-modules.js';
import type { OnnxTensor } from './onnx/onnx-graph.js';
import { readGraph } from './onnx/read-graph.js';
import { shapeOf } from './onnx/rule.js';
import { type OpenExternal, TensorReader } from './onnx/tensor-reader.js';
import type { Constant, Quantizer } from './onnx/values.js';
import { ownSource } from './own-source.js';
import type { StagedCheckpoint } from './staged-checkpoint.js';

/** Options of {@link openStagedOnnx}. */
export interface OpenOnnxOptions extends OpenOptions {
  /** The model's config.json, which the graph is checked against. */
  readonly config?: JsonObject;
  /** Opens a file of external data, by its name in the model's folder. Without it, such a model is `unsupported`. */
  readonly openExternal?: OpenExternal;
}

/**
 * Opens an ONNX model of a BERT, DistilBERT or RoBERTa with or without a head, as PyTorch and optimum export it: in
 * floats, or with weights that onnxruntime quantized, whose integers and scales are kept. Weights are found by what
 * the graph computes with them, and get transformers' names. The graph also proves a `config`.
 * Throws `unsupported` for a node that none of these models has, and `mismatch` where config.json says something else.
 */
export async function openStagedOnnx(source: ByteSource, options: OpenOnnxOptions = {}): Promise<StagedCheckpoint> {
  const { limits = DEFAULT_LIMITS } = options;
  return ownSource(source, options.name, async (bytes) => {
    const reader = new TensorReader(bytes, limits, options.openExternal);
    try {
      return await openModel(bytes, reader, limits, options.config);
    } catch (error) {
      await reader.close().catch(() => {});
      throw error;
    }
  });
}

async function openModel(
  bytes: Required<RandomAccess>,
  reader: TensorReader,
  limits: Limits,
  given: JsonObject | undefined,
): Promise<StagedCheckpoint> {
  const model = modelOfGraph(await evaluateGraph(await readGraph(bytes, limits), reader));
  const { modules, config } = namedModules(model, given, await isTiedDecoder(model, reader));
  for (const tensor of tensorsOf(modules)) await reader.checkExternal(tensor);
  const name = reader.name;
  const proven = { config, notes: model.notes };
  const close = () => reader.close();
  if (!modules.some(isQuantized)) {
    return { stage: 'float', tensors: floatCheckpoint(modules, reader), ...proven, close };
  }
  return {
    stage: 'quantized',
    name,
    format: 'onnx',
    quantized: await quantizedOf(modules, reader),
    profile: 'onnxruntime',
    ...proven,
    close,
  };
}

function isQuantized(module: NamedModule): boolean {
  if (module.kind === 'linear') return hasCodes(module.weight);
  return module.kind === 'table' && hasCodes(module.table);
}

function hasCodes(constant: Constant): constant is Constant & { readonly quantizer: Quantizer } {
  const { dtype } = constant.tensor;
  return constant.quantizer !== undefined && (dtype === 'int8' || dtype === 'uint8');
}

function* tensorsOf(modules: readonly NamedModule[]): Generator<OnnxTensor> {
  for (const module of modules) for (const { constant } of parametersOf(module)) yield constant.tensor;
}

interface Parameter {
  readonly name: string;
  readonly constant: Constant;
  readonly info: TensorInfo;
  /** A Linear's matrix, which PyTorch stores as `[out, in]`. */
  readonly isMatrix: boolean;
}

/** A module's parameters as tensors of the state dict. */
function parametersOf(module: NamedModule): readonly Parameter[] {
  const { name } = module;
  const vector = (suffix: string, constant: Constant): Parameter => {
    const { columns, tensor } = constant;
    const length = columns === undefined ? tensor.shape.at(-1)! : columns[1] - columns[0];
    return { name: `${name}${suffix}`, constant, info: { dtype: dtypeOf(constant), shape: [length] }, isMatrix: false };
  };
  if (module.kind === 'vector') return [vector('', module.vector)];
  if (module.kind === 'norm') return [vector('.weight', module.norm.weight), vector('.bias', module.norm.bias)];
  const constant = module.kind === 'table' ? module.table : module.weight;
  const isMatrix = module.kind === 'linear';
  const shape = isMatrix ? [...shapeOf(constant)].reverse() : shapeOf(constant);
  const weight = { name: `${name}.weight`, constant, info: { dtype: dtypeOf(constant), shape }, isMatrix };
  return module.kind === 'table' ? [weight] : [weight, vector('.bias', module.bias)];
}

function readParameter({ name, constant, info, isMatrix }: Parameter, reader: TensorReader): Promise<Tensor> {
  const reading = isMatrix ? readLinearMatrix(constant, reader) : readFloats(constant, info.shape, reader);
  return reading.catch((error: unknown) => {
    throw locateError(error, { where: reader.name, tensor: name });
  });
}

function floatCheckpoint(modules: readonly NamedModule[], reader: TensorReader): Checkpoint {
  const parameters = new Map(modules.flatMap(parametersOf).map((parameter) => [parameter.name, parameter]));
  return {
    name: reader.name,
    format: 'onnx',
    keys: () => parameters.keys(),
    info: (name) => parameters.get(name)?.info,
    async get(name) {
      const parameter = parameters.get(name);
      return parameter && readParameter(parameter, reader);
    },
    // A matrix is transposed as a whole, and everything else is small or is read once.
    pieces: () => undefined,
    close: () => reader.close(),
  } satisfies Required<Checkpoint>;
}

type Entry = QuantizedLinear | QuantizedEmbedding | Tensor;

async function quantizedOf(modules: readonly NamedModule[], reader: TensorReader): Promise<QuantizedStateDict> {
  const entries = new Map<string, () => Promise<Entry>>();
  for (const module of modules) {
    const parameters = parametersOf(module);
    const table = module.kind === 'table' && hasCodes(module.table) ? module.table : undefined;
    const quantizers = table && (await rowQuantizers(table, reader));
    if (table !== undefined && quantizers !== undefined) {
      entries.set(module.name, () => readQuantizedTable(table, quantizers, reader));
    } else if (module.kind === 'linear' && hasCodes(module.weight)) {
      const { weight } = module;
      entries.set(module.name, async () => {
        const bias = await readParameter(parameters[1], reader);
        return readQuantizedLinear(weight, toFloat32(bias, { tensor: parameters[1].name }), reader);
      });
    } else {
      for (const parameter of parameters) entries.set(parameter.name, () => readParameter(parameter, reader));
    }
  }
  return {
    keys: () => entries.keys(),
    get: async (name) => entries.get(name)?.(),
  };
}
