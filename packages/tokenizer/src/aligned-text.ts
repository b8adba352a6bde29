/** A text after normalization that remembers where it came from. All positions are UTF-16 code units, as in JavaScript strings. */
export interface AlignedText {
  readonly text: string;
  /** For each code unit of `text`: the first code unit of the original character that it stands for. */
  readonly starts: readonly number[];
  /** For each code unit of `text`: one past the last code unit of that original character. */
  readonly ends: readonly number[];
}

/** `text` itself from `begin` to `end`, aligned with itself. */
export function alignedSlice(text: string, begin: number, end: number): AlignedText {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = begin; i < end; ) {
    const width = text.codePointAt(i)! > 0xffff ? 2 : 1;
    for (let unit = 0; unit < width; unit++) {
      starts.push(i);
      ends.push(i + width);
    }
    i += width;
  }
  return { text: text.slice(begin, end), starts, ends };
}

/** The part `[begin, end)` of an aligned text. */
export function alignedPart({ text, starts, ends }: AlignedText, begin: number, end: number): AlignedText {
  return { text: text.slice(begin, end), starts: starts.slice(begin, end), ends: ends.slice(begin, end) };
}
