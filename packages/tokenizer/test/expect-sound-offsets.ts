import fc from 'fast-check';
import { expect } from 'vitest';
import type { Tokenizer } from '../src/create-tokenizer.js';

/**
 * For any string: offsets stay inside the text, never cut a surrogate pair, and a token never begins past the end of the next one. With
 * `covering` each token covers something, and starts ascend: byte-level BPE has blanks that cover nothing, and bytes that share a character.
 */
export function expectSoundOffsets(
  { tokenize }: Pick<Tokenizer, 'tokenize'>,
  { covering }: { covering: boolean },
): void {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const { ids, starts, ends } = tokenize(text);
      expect([starts.length, ends.length]).toEqual([ids.length, ids.length]);
      starts.forEach((start, i) => {
        const end = ends[i];
        expect(start).toBeLessThanOrEqual(covering ? end - 1 : end);
        expect(start).toBeGreaterThanOrEqual(covering && i > 0 ? starts[i - 1] : 0);
        expect(start).toBeLessThanOrEqual(ends[i + 1] ?? text.length);
        expect(end).toBeLessThanOrEqual(text.length);
        expect(isInsidePair(text, start) || isInsidePair(text, end)).toBe(false);
      });
    }),
  );
}

function isInsidePair(text: string, at: number): boolean {
  return at > 0 && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
}
