import { isWhiteSpace } from './is-white-space.js';

/** How a byte-level tokenizer cuts blanks off offsets. */
export interface TrimOffsets {
  /** Whether a blank was put before the text, so that a single one at its start is not its own. */
  readonly addPrefixSpace: boolean;
}

/** The character that stands for a blank in a byte-level vocabulary. */
const BLANK = 'Ġ';

/**
 * Offsets without the blanks that a token begins and ends with (Hugging Face tokenizers, `process_offsets` of its byte-level post-processor):
 * of a token of blanks nothing is left, at its end. `isFirst`: no token of the text is before it.
 */
export function trimOffsets(
  { addPrefixSpace }: TrimOffsets,
  original: string,
  token: string,
  [start, end]: readonly [start: number, end: number],
  isFirst: boolean,
): [start: number, end: number] {
  const characters = [...token];
  let leading = blanksAtStart(characters);
  const trailing = blanksAtStart(characters.reverse());
  if (isFirst && addPrefixSpace && leading === 1) leading = 0;
  // A blank that was put there stands for the character after it, which can have two code units.
  let [from, to] = [start, end];
  for (; leading > 0 && from < end; leading--) from += isPair(original, from) ? 2 : 1;
  for (let i = trailing; i > 0 && to > from; i--) to -= isPair(original, to - 2) ? 2 : 1;
  return [from, to];
}

function blanksAtStart(characters: readonly string[]): number {
  let count = 0;
  for (const character of characters) {
    if (character !== BLANK && !isWhiteSpace(character.codePointAt(0)!)) break;
    count++;
  }
  return count;
}

function isPair(text: string, at: number): boolean {
  return at >= 0 && text.codePointAt(at)! > 0xffff;
}
