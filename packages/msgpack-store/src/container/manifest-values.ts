import { type JsonObject, PruneError } from '@prune/core';

/**
 * Where in the manifest a value is: the members on the way to it. Put into words only when it is wrong; there are
 * thousands of them.
 */
export type ValuePath = readonly (string | number)[];

/**
 * Readers of the values of a manifest. Each throws `corrupt` that names the place when the value is of another type.
 */
export const manifestValues = { object, array, text, integer, integers, binary, describe };

function object(value: unknown, ...path: ValuePath): JsonObject {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
  if (!plain) throw wrong(path, value, 'a map');
  return value as JsonObject;
}

function array(value: unknown, ...path: ValuePath): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, value, 'an array');
  return value;
}

function text(value: unknown, ...path: ValuePath): string {
  if (typeof value !== 'string') throw wrong(path, value, 'a string');
  return value;
}

function integer(value: unknown, ...path: ValuePath): number {
  if (!isCount(value)) throw wrong(path, value, 'an integer >= 0');
  return value;
}

function integers(value: unknown, ...path: ValuePath): readonly number[] {
  const values = array(value, ...path);
  const bad = values.findIndex((one) => !isCount(one));
  if (bad !== -1) throw wrong([...path, bad], values[bad], 'an integer >= 0');
  return values as readonly number[];
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function binary(value: unknown, ...path: ValuePath): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong(path, value, 'bytes');
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function wrong(path: ValuePath, got: unknown, wanted: string): PruneError {
  return new PruneError('corrupt', { what: describe(path), got: got === null ? 'null' : typeof got, wanted });
}

/** `manifest.entries[3].name` */
function describe(path: ValuePath): string {
  return `manifest${path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')}`;
}
