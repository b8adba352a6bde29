import { checkLimit, DTYPES, type Dtype, type Limits, PruneError } from '@prune/core';
import { NUMPY_DTYPES } from './numpy-dtypes.js';
import type { PickleBudget } from './pickle-budget.js';
import { PickleGlobal } from './unpickle.js';

/** An array of numpy in a pickle, its bytes with it. */
export class NumpyArray {
  dtype: Dtype = 'uint8';
  shape: readonly number[] = [];
  /** Little-endian, rows one after the other. A view of the pickle, or a copy. */
  bytes: Uint8Array = new Uint8Array();
}

class NumpyDtype {
  /** The bytes of an element are in this order: `<`, `>`, or `|` where there is one. */
  order = '|';
  constructor(readonly dtype: Dtype) {}
}

/** A number of numpy's own. */
export class NumpyScalar {
  constructor(
    readonly dtype: Dtype,
    readonly bytes: Uint8Array,
  ) {}
}

const ARRAY = 'numpy.ndarray';
const DTYPE = 'numpy.dtype';
const ENCODE = '_codecs.encode';
/** numpy 2 has them in another module. */
const RECONSTRUCT = /^numpy\.(?:_core|core)\.multiarray\._reconstruct$/;
/** Arrays from protocol 5 on: bytes, dtype, shape, order. */
const FROM_BUFFER = /^numpy\.(?:_core|core)\.numeric\._frombuffer$/;
const SCALAR = /^numpy\.(?:_core|core)\.multiarray\.scalar$/;
/** Python 2's name and Python 3's. Called without arguments, for no bytes. */
const BYTES = /^(?:__builtin__|builtins)\.bytes$/;

/** Whether pickles of numpy's arrays name this. */
export function isNumpyPath(path: string): boolean {
  return (
    path === ARRAY ||
    path === DTYPE ||
    path === ENCODE ||
    RECONSTRUCT.test(path) ||
    FROM_BUFFER.test(path) ||
    SCALAR.test(path) ||
    BYTES.test(path)
  );
}

/**
 * What a callable of {@link isNumpyPath} makes of its arguments. An array gets its contents from {@link buildNumpy}.
 */
export function reduceNumpy(path: string, args: readonly unknown[], budget: PickleBudget, limits: Limits): unknown {
  if (RECONSTRUCT.test(path)) {
    budget.chargeObject(12);
    return new NumpyArray();
  }
  if (FROM_BUFFER.test(path)) {
    budget.chargeObject(12);
    const [bytes, dtype, shape, order] = args;
    const array = new NumpyArray();
    fill(array, { shape, dtype, fortran: order === 'F', bytes }, limits);
    return array;
  }
  if (path === DTYPE && typeof args[0] === 'string') {
    const dtype = NUMPY_DTYPES.get(args[0].replace(/^[<>|=]/, ''));
    if (dtype === undefined) throw new PruneError('unsupported', { what: 'dtype of numpy', got: args[0] });
    budget.chargeObject(2);
    return new NumpyDtype(dtype);
  }
  // Below protocol 3 bytes are a text of the characters 0 to 255.
  if (path === ENCODE && typeof args[0] === 'string' && args[1] === 'latin1') {
    budget.charge(args[0].length);
    return latin1(args[0]);
  }
  if (BYTES.test(path) && args.length === 0) return new Uint8Array();
  const [dtype, bytes] = args;
  if (SCALAR.test(path) && dtype instanceof NumpyDtype && bytes instanceof Uint8Array) {
    budget.chargeObject(2);
    return new NumpyScalar(littleEndian(dtype), checkedBytes(bytes, DTYPES[dtype.dtype].bytes));
  }
  throw new PruneError('corrupt', { what: 'pickle calls what numpy does not', got: path });
}

/** Gives an array or a dtype its state. Throws `corrupt`, `unsupported`, `limit`. */
export function buildNumpy(target: unknown, state: unknown, limits: Limits): void {
  if (target instanceof NumpyDtype && Array.isArray(state) && typeof state[1] === 'string') {
    target.order = state[1];
    return;
  }
  if (target instanceof NumpyArray && Array.isArray(state)) {
    const [, shape, dtype, fortran, bytes] = state as readonly unknown[];
    fill(target, { shape, dtype, fortran: fortran === true, bytes }, limits);
    return;
  }
  const got = target instanceof PickleGlobal ? target.path : typeof target;
  throw new PruneError('corrupt', { what: 'pickle gives a state to what has none', got });
}

interface ArrayState {
  readonly shape: unknown;
  readonly dtype: unknown;
  readonly fortran: boolean;
  readonly bytes: unknown;
}

function fill(array: NumpyArray, { shape, dtype, fortran, bytes }: ArrayState, limits: Limits): void {
  if (!(dtype instanceof NumpyDtype)) throw new PruneError('corrupt', { what: 'dtype of a numpy array' });
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new PruneError('corrupt', { what: 'shape of a numpy array' });
  }
  checkLimit('too many dimensions', shape.length, limits.rank);
  if (fortran && shape.filter((size) => size !== 1).length > 1) {
    throw new PruneError('unsupported', {
      what: 'numpy array in the order of Fortran',
      wanted: 'rows one after another',
    });
  }
  if (!(bytes instanceof Uint8Array)) throw new PruneError('unsupported', { what: 'numpy array of objects' });
  array.dtype = littleEndian(dtype);
  array.shape = shape;
  array.bytes = checkedBytes(
    bytes,
    shape.reduce<number>((product, size) => product * size, DTYPES[dtype.dtype].bytes),
  );
}

function littleEndian({ dtype, order }: NumpyDtype): Dtype {
  if (order === '>') throw new PruneError('unsupported', { what: 'byte order of numpy', got: '>', wanted: '<' });
  return dtype;
}

function checkedBytes(bytes: Uint8Array, wanted: number): Uint8Array {
  if (bytes.byteLength === wanted) return bytes;
  throw new PruneError('corrupt', { what: 'numpy array (bytes)', got: bytes.byteLength, wanted });
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) throw new PruneError('corrupt', { what: 'bytes of a pickle', got: `character ${code}` });
    bytes[i] = code;
  }
  return bytes;
}
