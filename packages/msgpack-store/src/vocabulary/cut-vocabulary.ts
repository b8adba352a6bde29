import type { Crc32 } from '@prune/core';
import { vocabularyEntries } from './vocabulary-entries.js';
import { MOST_MARK_BYTES, writeHead } from './vocabulary-head.js';

/** What stands before the first entry of a tokenizer's vocabulary. */
const START = /"vocab"[ \t\r\n]*:[ \t\r\n]*\{[ \t\r\n]*/;
/** What stands between the first token and its id. */
const COLON = /^[ \t\r\n]*:[ \t\r\n]*(?=0)/;
/** What stands between the first id and the second token. */
const BETWEEN = /^0([ \t\r\n]*,[ \t\r\n]*)"/;

/**
 * A JSON text without its vocabulary, when the lines of another file are the vocabulary's tokens in the order of their
 * ids; `joinVocabulary` makes the same bytes of what this gives and the lines. `undefined` for any other text: the
 * entries are written again and compared with it, byte by byte.
 */
export function cutVocabulary(json: Uint8Array, lines: Uint8Array, crc32: Crc32): Uint8Array | undefined {
  // Characters that are bytes: what is searched for is ASCII, wherever it stands in UTF-8.
  const text = latin1(json);
  const found = START.exec(text);
  if (found === null) return undefined;
  const before = found.index + found[0].length;
  const none = new Uint8Array(0);
  const newline = lines.indexOf(0x0a);
  const firstLine = newline === -1 ? lines : lines.subarray(0, newline + 1);
  const first = vocabularyEntries(firstLine, { colon: none, between: none });
  // The id of the only entry is 0, which is one byte.
  const afterToken = before + first.length - 1;
  const around = text.slice(afterToken, afterToken + 2 * MOST_MARK_BYTES + 2);
  const colon = COLON.exec(around)?.[0];
  if (colon === undefined) return undefined;
  const between = BETWEEN.exec(around.slice(colon.length))?.[1] ?? '';
  if (colon.length > MOST_MARK_BYTES || between.length > MOST_MARK_BYTES) return undefined;
  const marks = { colon: bytesOf(colon), between: bytesOf(between) };
  const entries = vocabularyEntries(lines, marks);
  const end = before + entries.length;
  if (end > json.length) return undefined;
  const written = new Uint8Array(entries.length);
  entries.write(written, 0);
  if (!isEqual(written, json.subarray(before, end))) return undefined;
  return joined([
    writeHead({ crc32: crc32(json), before, colon: colon.length, between: between.length }),
    json.subarray(0, before),
    marks.colon,
    marks.between,
    json.subarray(end),
  ]);
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

function bytesOf(ascii: string): Uint8Array {
  return Uint8Array.from(ascii, (character) => character.charCodeAt(0));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
