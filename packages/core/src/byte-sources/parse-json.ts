import { PruneError } from '../errors/prune-error.js';
import { checkLimit } from '../limits/limits.js';

/** A JSON object as parsed. */
export type JsonObject = { readonly [key: string]: unknown };

// config.json nests two deep, a tokenizer's files six. What is read here is walked recursively elsewhere.
const MAX_DEPTH = 64;

/**
 * The JSON object in UTF-8 `bytes`. Throws `corrupt` for anything else, `limit` for one nested past 64 levels; `where`
 * names the file.
 */
export function parseJson(bytes: Uint8Array, where: string): JsonObject {
  checkDepth(bytes, where);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new PruneError('corrupt', { where, what: 'not JSON', cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PruneError('corrupt', { where, what: 'not a JSON object' });
  }
  return value as JsonObject;
}

function checkDepth(bytes: Uint8Array, where: string) {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) checkLimit('JSON is nested too deeply', ++depth, MAX_DEPTH, { where });
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}
