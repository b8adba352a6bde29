/** What stands around the tokens and ids of a vocabulary in a JSON text. */
export interface VocabularyMarks {
  /** Between a token and its id. */
  readonly colon: Uint8Array;
  /** Between two entries. */
  readonly between: Uint8Array;
}

/** The entries of a vocabulary as a JSON text has them, not yet written. */
export interface VocabularyEntries {
  /** Bytes that they take. */
  readonly length: number;
  write(out: Uint8Array, offset: number): void;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const LETTER_U = codeOf('u');
/** What follows the backslash in front of each byte: `u` and its number, or a letter of its own; 0 without one. */
const ESCAPES = new Uint8Array(256).fill(LETTER_U, 0, 0x20);
for (const [byte, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' })) {
  ESCAPES[Number(byte)] = codeOf(letter);
}

/**
 * The lines of a vocabulary as members of a JSON object: each token as a string with as few escapes as JSON allows, in
 * UTF-8, and the line's number as its id. Counts bytes first, so that a caller can check them before it takes memory.
 */
export function vocabularyEntries(lines: Uint8Array, { colon, between }: VocabularyMarks): VocabularyEntries {
  let length = 0;
  let count = 0;
  forEachLine(lines, (start, end) => {
    length += (count > 0 ? between.length : 0) + 2 + colon.length + String(count).length;
    for (let i = start; i < end; i++) length += escapedBytes(lines[i]);
    count++;
  });
  return {
    length,
    write(out, offset) {
      let at = offset;
      let id = 0;
      const put = (bytes: Uint8Array) => {
        out.set(bytes, at);
        at += bytes.length;
      };
      forEachLine(lines, (start, end) => {
        if (id > 0) put(between);
        out[at++] = QUOTE;
        for (let i = start; i < end; i++) at = writeEscaped(lines[i], out, at);
        out[at++] = QUOTE;
        put(colon);
        for (const digit of String(id)) out[at++] = codeOf(digit);
        id++;
      });
    },
  };
}

/** Visits lines. A newline ends each one; the last may go without. */
function forEachLine(bytes: Uint8Array, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    visit(start, end);
    start = end + 1;
  }
}

function escapedBytes(byte: number): number {
  if (ESCAPES[byte] === 0) return 1;
  return ESCAPES[byte] === LETTER_U ? 6 : 2;
}

/** Writes a byte of a string, and gives where the next one goes. */
function writeEscaped(byte: number, out: Uint8Array, at: number): number {
  if (ESCAPES[byte] === 0) {
    out[at] = byte;
    return at + 1;
  }
  out[at] = BACKSLASH;
  out[at + 1] = ESCAPES[byte];
  if (ESCAPES[byte] !== LETTER_U) return at + 2;
  [...byte.toString(16).padStart(4, '0')].forEach((digit, i) => {
    out[at + 2 + i] = codeOf(digit);
  });
  return at + 6;
}

function codeOf(character: string): number {
  return character.charCodeAt(0);
}
