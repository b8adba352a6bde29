import { checkLimit, type Dtype, type Limits, PruneError, type TensorInfo } from '@prune/core';
import { buildNumpy, isNumpyPath, reduceNumpy } from './numpy-pickle.js';
import type { PickleBudget } from './pickle-budget.js';
import { STORAGE_CLASSES } from './storage-classes.js';
import { DICT_FIELDS, PickleDict, PickleGlobal, type PickleHost, PickleList } from './unpickle.js';

/** A storage by its key in the file. */
export interface StorageReference {
  readonly key: string;
  /** What the storage's class says; `uint8` for an untyped one. */
  readonly dtype: Dtype;
  /** Whether a byte has two codes. */
  readonly halfBytes: boolean;
  readonly elements: number;
  /** The part of the file's storage that this one is, in elements; the whole where absent (older format only). */
  readonly viewOffset: number;
  readonly viewElements: number;
}

/** A tensor of a pickle: a strided view of a storage. Sizes are as the file has them, still unchecked. */
export interface TensorReference extends TensorInfo {
  readonly storage: StorageReference;
  /** In elements of the tensor's dtype. */
  readonly offset: number;
  readonly strides: readonly number[];
}

/**
 * How the codes of a quantized tensor stand for numbers, `scale * (code - zero point)`: for all alike, or one of each
 * for every row.
 */
export type Quantizer =
  | { readonly qscheme: 'per_tensor_affine'; readonly scale: number; readonly zeroPoint: number }
  | {
      readonly qscheme: 'per_channel_affine';
      readonly scales: TensorReference;
      readonly zeroPoints: TensorReference;
      readonly axis: number;
    };

/** A quantized tensor of a pickle. */
export class QuantizedReference {
  constructor(
    /** int8 for torch.qint8, uint8 for torch.quint8, and for torch.quint4x2 the bytes of the codes, `[rows, columns / 2]`. */
    readonly codes: TensorReference,
    readonly quantizer: Quantizer,
    /** Bits of a code. */
    readonly bits: 8 | 4,
  ) {}
}

/** The dtypes of quantized tensors. 32-bit codes are not read. */
const QUANTIZED_DTYPES: ReadonlySet<string> = new Set(['torch.qint8', 'torch.quint8', 'torch.quint4x2']);

/** Two codes a byte: the elements of such a storage are its bytes, those of its tensors are codes. */
const HALF_BYTES = 'torch.QUInt4x2Storage';

const PER_TENSOR = 'torch.per_tensor_affine';
/** The second is that of embedding tables, whose zero points are floats. */
const PER_CHANNEL: ReadonlySet<string> = new Set([
  'torch.per_channel_affine',
  'torch.per_channel_affine_float_qparams',
]);

const DTYPES_BY_NAME: ReadonlyMap<string, Dtype> = new Map<string, Dtype>(
  ('bool uint8 int8 uint16 int16 uint32 int32 int64 float16 bfloat16 float32 float64'.split(' ') as Dtype[]).map(
    (dtype) => [`torch.${dtype}`, dtype],
  ),
);

// The modules that torch versions and CUDA checkpoints name their storage classes in.
const STORAGE_PATH = /^torch\.(?:cuda\.|storage\.)?([A-Za-z0-9]+Storage)$/;

// What the budget is charged beyond the arguments: a tensor's reference has six fields, and so has a storage's.
const TENSOR_FIELDS = 6;
const STORAGE_FIELDS = 6;
const KNOWN_STORAGE_BYTES = 40;

const ORDERED_DICT = 'collections.OrderedDict';

/** What each makes of its arguments; `rank` is the most dimensions that a tensor may have. */
const REBUILD: Readonly<Record<string, (args: readonly unknown[], rank: number) => unknown>> = {
  'torch.Size': ([sizes]) => sizes,
  'torch._utils._rebuild_tensor': ([storage, offset, size, stride], rank) =>
    rebuild(rank, storage, offset, size, stride),
  'torch._utils._rebuild_tensor_v2': ([storage, offset, size, stride], rank) =>
    rebuild(rank, storage, offset, size, stride),
  'torch._utils._rebuild_tensor_v3': ([storage, offset, size, stride, , , dtype], rank) =>
    rebuild(rank, storage, offset, size, stride, dtype),
  'torch._utils._rebuild_qtensor': ([storage, offset, size, stride, quantizer], rank) =>
    quantized(rebuild(rank, storage, offset, size, stride), quantizerOf(quantizer)),
  'torch._utils._rebuild_parameter': ([data]) => data,
  'torch._utils._rebuild_parameter_with_state': ([data]) => data,
};

/** The allow-list of torch's checkpoints, and what a pickle named with it. */
export class TorchPickle implements PickleHost {
  /** Every storage by key, as first named. */
  readonly storages = new Map<string, StorageReference>();
  readonly #limits: Limits;
  readonly #budget: PickleBudget;

  constructor(limits: Limits, budget: PickleBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  allow(path: string) {
    if (
      path === ORDERED_DICT ||
      Object.hasOwn(REBUILD, path) ||
      DTYPES_BY_NAME.has(path) ||
      QUANTIZED_DTYPES.has(path) ||
      path === PER_TENSOR ||
      PER_CHANNEL.has(path) ||
      isNumpyPath(path) ||
      storageDtype(path) !== undefined
    )
      return;
    throw new PruneError('unsupported', {
      what: 'pickle names a global that is not on the allow-list',
      got: JSON.stringify(path),
      wanted: 'a state dict of plain tensors',
    });
  }

  reduce(path: string, args: readonly unknown[]): unknown {
    if (path === ORDERED_DICT) return this.#orderedDict(args);
    if (isNumpyPath(path)) return reduceNumpy(path, args, this.#budget, this.#limits);
    if (!Object.hasOwn(REBUILD, path)) throw new PruneError('unsupported', { what: 'pickle calls', got: path });
    this.#budget.chargeObject(TENSOR_FIELDS);
    return REBUILD[path](args, this.#limits.rank);
  }

  /** ('storage', class, key, location, elements[, (view key, offset, elements)]); the location (cpu, cuda:0) does not matter. */
  persistent(id: unknown): StorageReference {
    if (!Array.isArray(id) || id[0] !== 'storage') {
      throw new PruneError('unsupported', { what: 'pickle refers to what is no storage', got: describe(id) });
    }
    const [, type, key, , elements, view] = id as unknown[];
    const dtype = type instanceof PickleGlobal ? storageDtype(type.path) : undefined;
    if (dtype === undefined || typeof key !== 'string') throw corrupt('bad reference to a storage', describe(id));
    const size = count(elements, 'elements of a storage');
    const [, viewOffset, viewElements] = Array.isArray(view) ? view : [null, 0, size];
    this.#budget.chargeObject(STORAGE_FIELDS);
    const reference: StorageReference = {
      key,
      dtype,
      halfBytes: (type as PickleGlobal).path === HALF_BYTES,
      elements: size,
      viewOffset: count(viewOffset, 'offset of a view'),
      viewElements: count(viewElements, 'elements of a view'),
    };
    if (reference.viewOffset + reference.viewElements > size) throw corrupt('a view is larger than its storage', key);
    if (!this.storages.has(key)) {
      this.#budget.charge(KNOWN_STORAGE_BYTES);
      this.storages.set(key, reference);
    }
    return reference;
  }

  build(target: unknown, state: unknown): void {
    buildNumpy(target, state, this.#limits);
  }

  #orderedDict([pairs]: readonly unknown[]): PickleDict {
    // Python 2 pickles the items as the argument: OrderedDict([[k, v], ...]).
    const items = pairs instanceof PickleList ? pairs.items : (pairs ?? []);
    if (!Array.isArray(items)) throw corrupt('OrderedDict of what is no list', describe(pairs));
    // One list, recalled from the memo for every dict, would make as many copies as the pickle has bytes.
    this.#budget.chargeObject(DICT_FIELDS + 4 * items.length);
    const dict = new PickleDict();
    for (const item of items) {
      const pair = item instanceof PickleList ? item.items : item;
      if (!Array.isArray(pair) || pair.length !== 2) throw corrupt('OrderedDict item is no pair', describe(item));
      dict.keys.push(pair[0]);
      dict.values.push(pair[1]);
    }
    return dict;
  }
}

function storageDtype(path: string): Dtype | undefined {
  return STORAGE_CLASSES.get(STORAGE_PATH.exec(path)?.[1] ?? '');
}

const REFERENCE = Symbol('tensor reference');

/** Whether a value of a pickle is a plain tensor. */
export function isTensorReference(value: unknown): value is TensorReference {
  return typeof value === 'object' && value !== null && REFERENCE in value;
}

function rebuild(
  rank: number,
  storage: unknown,
  offset: unknown,
  size: unknown,
  stride: unknown,
  dtype?: unknown,
): TensorReference {
  if (typeof storage !== 'object' || storage === null || !('viewElements' in storage)) {
    throw corrupt('tensor without a storage', describe(storage));
  }
  const shape = counts(size, 'tensor size', rank);
  const strides = counts(stride, 'tensor stride', rank);
  if (shape.length !== strides.length) throw corrupt('tensor size and stride differ in length', shape.length);
  const reference = storage as StorageReference;
  const named = dtype instanceof PickleGlobal ? DTYPES_BY_NAME.get(dtype.path) : undefined;
  if (dtype !== undefined && named === undefined) throw corrupt('tensor dtype', describe(dtype));
  const made: TensorReference & { [REFERENCE]: true } = {
    storage: reference,
    dtype: named ?? reference.dtype,
    shape,
    strides,
    offset: count(offset, 'tensor offset'),
    [REFERENCE]: true,
  };
  return made;
}

/** The codes of a quantized tensor; those of 4 bits as the bytes that hold them, for which rows must be whole bytes. */
function quantized(codes: TensorReference, quantizer: Quantizer): QuantizedReference {
  if (!codes.storage.halfBytes) return new QuantizedReference(codes, quantizer, 8);
  const [rows, columns] = codes.shape;
  const whole = codes.shape.length === 2 && columns % 2 === 0 && codes.offset === 0;
  if (!whole || codes.strides[0] !== columns || codes.strides[1] !== 1) {
    const got = `[${codes.shape.join(', ')}] with strides [${codes.strides.join(', ')}]`;
    const wanted = 'a matrix of an even number of columns, row after row';
    throw new PruneError('unsupported', { what: 'tensor of 4-bit codes', got, wanted });
  }
  const bytes = columns / 2;
  return new QuantizedReference({ ...codes, shape: [rows, bytes], strides: [bytes, 1] }, quantizer, 4);
}

function quantizerOf(value: unknown): Quantizer {
  const [scheme, scale, zeroPoint, axis] = Array.isArray(value) ? (value as unknown[]) : [];
  const path = scheme instanceof PickleGlobal ? scheme.path : '';
  if (path === PER_TENSOR && typeof scale === 'number' && Number.isSafeInteger(zeroPoint)) {
    return { qscheme: 'per_tensor_affine', scale, zeroPoint: zeroPoint as number };
  }
  if (PER_CHANNEL.has(path) && isTensorReference(scale) && isTensorReference(zeroPoint)) {
    return { qscheme: 'per_channel_affine', scales: scale, zeroPoints: zeroPoint, axis: count(axis, 'axis of scales') };
  }
  throw corrupt('quantizer of a tensor', describe(scheme ?? value));
}

/** The tuple itself: tensors can share one through the memo, and a copy for each would cost more than their pickle. */
function counts(value: unknown, what: string, rank: number): readonly number[] {
  if (!Array.isArray(value)) throw corrupt(what, describe(value));
  checkLimit('too many dimensions', value.length, rank);
  for (const item of value as unknown[]) count(item, what);
  return value as number[];
}

function count(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw corrupt(what, describe(value));
  return value as number;
}

function corrupt(what: string, got: string | number): PruneError {
  return new PruneError('corrupt', { what, got });
}

/** What a value of a pickle is, in the words of an error. */
export function describe(value: unknown): string {
  if (value === null) return 'None';
  if (value instanceof PickleDict) return `a dict of ${value.keys.length}`;
  if (value instanceof PickleList) return `a list of ${value.items.length}`;
  if (value instanceof PickleGlobal) return value.path;
  if (Array.isArray(value)) return `a tuple of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${String(value).slice(0, 80)}`;
}
