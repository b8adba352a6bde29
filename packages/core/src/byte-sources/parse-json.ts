import { PruneError } from '../errors/prune-error.js';
import { checkLimit } from '../limits/limits.js';

/** A JSON object as parsed. */
export type JsonObject = { readonly [key: string]: unknown };

// config.json nests two deep, a tokenizer's files six. What is read here is walked recursively elsewhere.
const MAX_DEPTH = 64;

/**
 * Bytes that parsed values may take: 64 MB and 4 times the text. The largest vocabulary of the BERT family (LaBSE,
 * 501,153 entries) takes half of that; `{},` 16 million times would take 2 GB.
 */
const MAX_VALUE_BYTES = 2 ** 26;
const VALUE_BYTES_PER_BYTE = 4;

/**
 * Bytes that V8 takes, rounded up: for an object or array, for a value in it, and for a key. Measured with Node 22 in
 * texts of empty objects, of numbers, and of objects of 1 to 1,000 keys that occur once: each of those keys has a hidden
 * class, until the object becomes a dictionary.
 */
const CONTAINER_BYTES = 130;
const VALUE_BYTES = 50;
const KEY_BYTES = 400;
const DICTIONARY_KEYS = 1024;
const DICTIONARY_KEY_BYTES = 50;

/**
 * The JSON object in UTF-8 `bytes`, in which numbers may also be NaN, Infinity and -Infinity, because Python writes and
 * reads these. Throws `corrupt` for anything else, `limit` for one nested past 64 levels or of so
 * many values that they would take more than `mostMemory` bytes, by default 64 MB and 4 times the text. `where` names
 * the file.
 */
export function parseJson(bytes: Uint8Array, where: string, mostMemory?: number): JsonObject {
  const value = parseValue(bytes, where, mostMemory);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new PruneError('corrupt', { where, what: 'not a JSON object' });
}

/** {@link parseJson} for an array. */
export function parseJsonArray(bytes: Uint8Array, where: string): readonly unknown[] {
  const value = parseValue(bytes, where);
  if (Array.isArray(value)) return value;
  throw new PruneError('corrupt', { where, what: 'not a JSON array' });
}

function parseValue(
  bytes: Uint8Array,
  where: string,
  mostMemory = MAX_VALUE_BYTES + VALUE_BYTES_PER_BYTE * bytes.length,
): unknown {
  checkStructure(bytes, where, mostMemory);
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new PruneError('corrupt', { where, what: 'not JSON', cause });
  }
}

// How NaN stands in the text for JSON.parse: as an object, so that it cannot be a key. No config has such a key.
const NAN_KEY = '\u0000NaN';
const NAN_TEXT = JSON.stringify({ [NAN_KEY]: 0 });
/** Strings, which stay as they are, and the numbers that JSON does not have. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|\bNaN\b|-?\bInfinity\b/gs;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    let changed = false;
    const json = text.replace(STRING_OR_NUMBER, (found) => {
      if (found.startsWith('"')) return found;
      changed = true;
      // 1e999 is read as Infinity.
      return found === 'NaN' ? NAN_TEXT : found.replace('Infinity', '1e999');
    });
    if (!changed) throw error;
    const isMark = (value: unknown) => typeof value === 'object' && value !== null && Object.hasOwn(value, NAN_KEY);
    return JSON.parse(json, (_, value) => (isMark(value) ? Number.NaN : value));
  }
}

/** Counts what the text would become, before anything is made of it. */
function checkStructure(bytes: Uint8Array, where: string, mostMemory: number) {
  const keys = new Uint32Array(MAX_DEPTH + 1);
  let depth = 0;
  let memory = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x2c) memory += VALUE_BYTES;
    else if (byte === 0x3a) memory += keys[depth]++ < DICTIONARY_KEYS ? KEY_BYTES : DICTIONARY_KEY_BYTES;
    else if (byte === 0x7b || byte === 0x5b) {
      checkLimit('JSON is nested too deeply', ++depth, MAX_DEPTH, { where });
      memory += CONTAINER_BYTES;
      keys[depth] = 0;
    } else if ((byte === 0x7d || byte === 0x5d) && depth > 0) depth--;
  }
  checkLimit('JSON has too many values (bytes of memory)', memory, mostMemory, { where });
}
