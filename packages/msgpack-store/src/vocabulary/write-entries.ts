/** What stands around the tokens and ids of a vocabulary in a JSON text. */
export interface VocabularyMarks {
  /** Between a token and its id. */
  readonly colon: Uint8Array;
  /** Between two entries. */
  readonly between: Uint8Array;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** What follows the backslash in front of each byte: `u` and its number, or a letter of its own; 0 without one. */
const ESCAPES = new Uint8Array(256).fill(LETTER_U, 0, 0x20);
for (const [byte, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' })) {
  ESCAPES[Number(byte)] = letter.charCodeAt(0);
}

/**
 * Writes the lines of a vocabulary as members of a JSON object: each token as a string with as few escapes as JSON
 * allows, in UTF-8, and the line's number as its id. Gives the bytes that they take, which are left out where `out`
 * ends: an empty `out` counts them. Stops after the first entry that ends past `most`.
 */
export function writeEntries(
  lines: Uint8Array,
  { colon, between }: VocabularyMarks,
  out: Uint8Array,
  offset = 0,
  most = Number.POSITIVE_INFINITY,
): number {
  let at = offset;
  const put = (bytes: Uint8Array) => {
    for (const byte of bytes) out[at++] = byte;
  };
  const putDigits = (digits: string) => {
    for (let i = 0; i < digits.length; i++) out[at++] = digits.charCodeAt(i);
  };
  let id = 0;
  for (let start = 0; start < lines.length && at - offset <= most; id++) {
    const newline = lines.indexOf(NEWLINE, start);
    const end = newline === -1 ? lines.length : newline;
    if (id > 0) put(between);
    out[at++] = QUOTE;
    for (let i = start; i < end; i++) {
      const letter = ESCAPES[lines[i]];
      if (letter === 0) out[at++] = lines[i];
      else {
        out[at++] = BACKSLASH;
        out[at++] = letter;
        if (letter === LETTER_U) putDigits(lines[i].toString(16).padStart(4, '0'));
      }
    }
    out[at++] = QUOTE;
    put(colon);
    putDigits(String(id));
    start = end + 1;
  }
  return at - offset;
}
