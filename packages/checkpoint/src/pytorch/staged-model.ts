import {
  type Elementary,
  type ElementaryStateDict,
  elementCount,
  LINEAR_PARTS,
  type Limits,
  locateError,
  PruneError,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  scalar,
  splitPartName,
  type Tensor,
  tensor,
  tensorFromBytes,
} from '@prune/core';
import type { Checkpoint } from '../checkpoint.js';
import type { StagedCheckpoint } from '../staged-checkpoint.js';
import { NumpyArray, NumpyScalar } from './numpy-pickle.js';
import { type ModuleReference, moduleTensors, type PickledElementary } from './pickled-model.js';
import type { TorchFile } from './torch-file.js';
import { isTensorReference, type TensorReference } from './torch-pickle.js';

/** The model of a file of torch's at its stage. */
export function stagedModel({ model, tensors, notes, stateDict }: TorchFile, limits: Limits): StagedCheckpoint {
  const { name, format } = tensors;
  const found = { notes, stateDict };
  const close = () => tensors.close();
  if (model.stage === 'float') return { stage: 'float', ...found, tensors, close };
  if (model.stage === 'elementary') {
    const elementary = elementaryOf(model.values, tensors, limits);
    return { stage: 'elementary', ...found, name, format, elementary, close };
  }
  const { modules, versions, flat } = model;
  return {
    stage: 'quantized',
    ...found,
    name,
    format,
    quantized: quantizedOf(modules, tensors),
    ...(versions && { modules: versions }),
    // Such a file need not have versions, and later releases never write it.
    ...(flat && { profile: 'fbgemm-1.5' as const }),
    close,
  };
}

function quantizedOf(
  modules: ReadonlyMap<string, ModuleReference | TensorReference>,
  tensors: Checkpoint,
): QuantizedStateDict {
  return {
    keys: () => modules.keys(),
    async get(name) {
      const module = modules.get(name);
      if (module === undefined) return undefined;
      if (!('kind' in module)) return tensors.get(name);
      try {
        return await (module.kind === 'linear' ? readLinear(name, module, tensors) : readTable(name, module, tensors));
      } catch (error) {
        throw locateError(error, { where: tensors.name });
      }
    },
  };
}

type Kind<K> = Extract<ModuleReference, { readonly kind: K }>;

async function readLinear(name: string, { weight, bias }: Kind<'linear'>, tensors: Checkpoint) {
  const names = moduleTensors(name);
  const { data, shape } = await codesOf(names.codes, 'int8', 'torch.qint8', tensors);
  const [rows, columns] = shape;
  const { quantizer } = weight;
  const perTensor = quantizer.qscheme === 'per_tensor_affine';
  const { scales, zeroPoints } = perTensor
    ? { scales: Float64Array.of(quantizer.scale), zeroPoints: [quantizer.zeroPoint] }
    : await channels(names, quantizer.axis, rows, tensors);
  const bad = zeroPoints.findIndex((zeroPoint) => zeroPoint !== 0);
  if (bad !== -1) {
    const what = perTensor ? 'zero point' : `zero point of row ${bad}`;
    throw new PruneError('unsupported', { what, got: zeroPoints[bad], wanted: 0, tensor: names.codes });
  }
  checkScales(scales, names.codes);
  const biasTensor = bias === null ? null : await requiredTensor(names.bias, tensors);
  if (biasTensor !== null && !(biasTensor.dtype === 'float32' && String(biasTensor.shape) === String([rows]))) {
    const got = `${biasTensor.dtype} [${biasTensor.shape.join(', ')}]`;
    throw new PruneError('mismatch', { what: 'bias', got, wanted: `float32 [${rows}]`, tensor: names.bias });
  }
  return {
    kind: 'linear',
    qscheme: quantizer.qscheme,
    scales,
    weight: { shape: [rows, columns], intRepr: data as Int8Array },
    bias: biasTensor as QuantizedLinear['bias'],
  } satisfies QuantizedLinear;
}

async function readTable(name: string, { weight }: Kind<'embedding'>, tensors: Checkpoint) {
  const names = moduleTensors(name);
  const { data, shape } = await codesOf(names.codes, 'uint8', 'torch.quint8', tensors);
  const [rows, columns] = shape;
  const { quantizer } = weight;
  if (quantizer.qscheme !== 'per_channel_affine') {
    const wanted = 'a scale for each row';
    throw new PruneError('unsupported', { what: 'quantizer of a table', got: quantizer.qscheme, wanted, tensor: name });
  }
  const { scales, zeroPoints } = await channels(names, quantizer.axis, rows, tensors);
  checkScales(scales, names.codes);
  return {
    kind: 'embedding',
    bits: weight.bits,
    shape: [rows, weight.bits === 8 ? columns : 2 * columns],
    intRepr: data as Uint8Array,
    scales: Float32Array.from(scales),
    zeroPoints: Float32Array.from(zeroPoints),
  } satisfies QuantizedEmbedding;
}

/** The codes of a matrix. Throws `unsupported` for codes of another dtype, `mismatch` for another rank. */
async function codesOf(name: string, dtype: 'int8' | 'uint8', wanted: string, tensors: Checkpoint): Promise<Tensor> {
  const codes = await requiredTensor(name, tensors);
  if (codes.dtype !== dtype)
    throw new PruneError('unsupported', { what: 'codes', got: codes.dtype, wanted, tensor: name });
  if (codes.shape.length === 2) return codes;
  const got = `[${codes.shape.join(', ')}]`;
  throw new PruneError('mismatch', { what: 'shape of codes', got, wanted: '[rows, columns]', tensor: name });
}

/** One scale and one zero point for each row. */
async function channels(
  names: { readonly scales: string; readonly zeroPoints: string },
  axis: number,
  rows: number,
  tensors: Checkpoint,
): Promise<{ scales: Float64Array; zeroPoints: number[] }> {
  if (axis !== 0) {
    throw new PruneError('unsupported', {
      what: 'axis of scales',
      got: axis,
      wanted: '0, the rows',
      tensor: names.scales,
    });
  }
  const read = async (name: string) => {
    const { data, shape } = await requiredTensor(name, tensors);
    if (shape.length === 1 && shape[0] === rows) return Array.from(data as ArrayLike<number | bigint>, Number);
    throw new PruneError('mismatch', {
      what: 'shape',
      got: `[${shape.join(', ')}]`,
      wanted: `[${rows}]`,
      tensor: name,
    });
  };
  return { scales: Float64Array.from(await read(names.scales)), zeroPoints: await read(names.zeroPoints) };
}

function checkScales(scales: Float64Array, tensor: string) {
  const bad = scales.findIndex((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY));
  if (bad !== -1) {
    throw new PruneError('corrupt', {
      what: `scale ${bad}`,
      got: scales[bad],
      wanted: 'a finite number above 0',
      tensor,
    });
  }
}

async function requiredTensor(name: string, tensors: Checkpoint): Promise<Tensor> {
  const tensor = await tensors.get(name);
  if (tensor === undefined) throw new PruneError('missing', { what: 'no such tensor', tensor: name });
  return tensor;
}

function elementaryOf(
  values: ReadonlyMap<string, PickledElementary>,
  tensors: Checkpoint,
  limits: Limits,
): ElementaryStateDict {
  return {
    keys: () => values.keys(),
    async get(name) {
      const value = values.get(name);
      if (value === undefined) return undefined;
      if (isTensorReference(value)) return tensors.get(name);
      return elementaryValue(name, value, { where: tensors.name, tensor: name }, limits);
    },
  };
}

/** A value that the pickle holds itself, in the dtype that the elementary form has for it. */
function elementaryValue(
  name: string,
  value: Exclude<PickledElementary, TensorReference>,
  place: { readonly where: string; readonly tensor: string },
  limits: Limits,
): Elementary {
  if (typeof value === 'string') return value;
  if (value instanceof NumpyArray) {
    elementCount(value, place, limits);
    return tensorFromBytes(value.dtype, value.shape, value.bytes.slice(), place, limits);
  }
  if (value instanceof NumpyScalar) return tensorFromBytes(value.dtype, [], value.bytes.slice(), place, limits);
  // Python's numbers: torch gives q_scale as a float64 and q_zero_point as an integer.
  if (typeof value === 'number') {
    const isScale = splitPartName(name)?.part === LINEAR_PARTS.scale;
    return isScale ? scalar('float64', value) : scalar('int64', BigInt(value));
  }
  return tensor('int64', [value.length], BigInt64Array.from(value, BigInt), place);
}
