import { checkAborted } from '../errors/prune-error.js';
import { type Tensor, tensorBytes } from '../tensors/tensor.js';
import type { Elementary, ReadableMap } from './stages.js';

/** The first place where two models are not the same. */
export interface Difference {
  /** The name of the tensor or string at which they differ. */
  readonly name: string;
  /** In words, e.g. `element 17 is 4, not 5`; `a` is spoken of first. */
  readonly what: string;
}

/** Options of {@link firstDifference}. */
export interface FirstDifferenceOptions {
  readonly signal?: AbortSignal;
  /** Called after each name that was found equal. */
  readonly onEqual?: (name: string) => void;
}

/**
 * Compares two state dicts of any stage of tensors, name by name in `a`'s order: same names, dtypes, shapes and bits (so NaN equals the
 * same NaN, and 0 differs from -0). Returns `undefined` when they are equal.
 */
export async function firstDifference(
  a: ReadableMap<Elementary>,
  b: ReadableMap<Elementary>,
  options: FirstDifferenceOptions = {},
): Promise<Difference | undefined> {
  const rest = new Set(b.keys());
  for (const name of a.keys()) {
    checkAborted(options.signal);
    if (!rest.delete(name)) return { name, what: 'is only in the first' };
    const what = valueDifference(await a.get(name), await b.get(name));
    if (what !== undefined) return { name, what };
    options.onEqual?.(name);
  }
  for (const name of rest) return { name, what: 'is only in the second' };
  return undefined;
}

function valueDifference(a: Elementary | undefined, b: Elementary | undefined): string | undefined {
  if (typeof a !== 'object' || typeof b !== 'object') {
    return a === b ? undefined : `is ${describe(a)}, not ${describe(b)}`;
  }
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return `is ${describe(a)}, not ${describe(b)}`;
  const byte = firstByte(tensorBytes(a), tensorBytes(b));
  if (byte === -1) return undefined;
  const element = Math.floor(byte / a.data.BYTES_PER_ELEMENT);
  return `${place(element, a.shape)} is ${number(a, element)}, not ${number(b, element)}`;
}

/** The first byte that differs, -1 for none. */
function firstByte(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

function describe(value: Elementary | undefined): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? JSON.stringify(value) : `${value.dtype} [${value.shape.join(', ')}]`;
}

/** `element 17`, with its coordinates where there are several. */
function place(element: number, shape: readonly number[]): string {
  if (shape.length < 2) return `element ${element}`;
  const coordinates: number[] = [];
  let rest = element;
  for (const dimension of [...shape].reverse()) {
    coordinates.unshift(rest % dimension);
    rest = Math.floor(rest / dimension);
  }
  return `element [${coordinates.join(', ')}]`;
}

function number({ data }: Tensor, element: number): string {
  const value = data[element];
  return Object.is(value, -0) ? '-0' : String(value);
}
