import type { Crc32 } from '@prune/core';
import { HEAD_BYTES, MOST_MARK_BYTES, writeHead } from './vocabulary-head.js';
import { writeEntries } from './write-entries.js';

/** What stands before the first entry of a tokenizer's vocabulary. */
const START = /"vocab"\s*:\s*\{\s*/;
/** What stands between the first token and its id, and between that and the second token. */
const MARKS = /^(\s*:\s*)0(?:(\s*,\s*)")?/;
const NOTHING = new Uint8Array(0);

/**
 * A JSON text without its vocabulary, when the lines of another file are the vocabulary's tokens in the order of their
 * ids; `joinVocabulary` makes the same bytes of what this gives and the lines. `undefined` for any other text: the
 * entries are written again and compared with it, byte by byte.
 */
export function cutVocabulary(json: Uint8Array, lines: Uint8Array, crc32: Crc32): Uint8Array | undefined {
  // Characters that are bytes: what is searched for is ASCII, wherever it stands in UTF-8.
  const text = new TextDecoder('latin1').decode(json);
  const found = START.exec(text);
  if (found === null) return undefined;
  const before = found.index + found[0].length;
  const firstLine = lines.subarray(0, lines.indexOf(0x0a) + 1 || lines.length);
  // The id of the only entry is 0, which is one byte.
  const afterToken = before + writeEntries(firstLine, { colon: NOTHING, between: NOTHING }, NOTHING) - 1;
  const [, ...texts] = MARKS.exec(text.slice(afterToken, afterToken + 2 * MOST_MARK_BYTES + 3)) ?? [];
  if (texts.length === 0) return undefined;
  const [colon, between] = texts.map((mark = '') => new TextEncoder().encode(mark));
  if (Math.max(colon.length, between.length) > MOST_MARK_BYTES) return undefined;
  const marks = { colon, between };
  const length = writeEntries(lines, marks, NOTHING, 0, json.length);
  const end = before + length;
  if (end > json.length) return undefined;
  const entries = new Uint8Array(length);
  writeEntries(lines, marks, entries);
  if (entries.some((byte, i) => byte !== json[before + i])) return undefined;
  const rest = new Uint8Array(HEAD_BYTES + json.length - length + colon.length + between.length);
  let at = 0;
  const head = writeHead({ crc32: crc32(json), before, colon: colon.length, between: between.length });
  for (const part of [head, json.subarray(0, before), colon, between, json.subarray(end)]) {
    rest.set(part, at);
    at += part.length;
  }
  return rest;
}
