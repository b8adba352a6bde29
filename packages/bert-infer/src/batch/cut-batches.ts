/**
 * Texts of an array that are put into batches together, and so the texts that an embedding or a label can depend on.
 * Whoever has more texts than fit into memory gets the bits of one call by calling with so many texts at a time. A
 * batch of short texts has about 20 of `models/mini-qa` (see `batchTokens`), so that the last batch of each group,
 * which is not full, costs little; and a group of BERT-base takes about a second.
 */
export const TEXTS_AT_ONCE = 256;

/**
 * Cuts texts of these lengths into batches of at most `tokens` tokens. Each group of {@link TEXTS_AT_ONCE} texts is cut
 * for itself, from its shortest text to its longest, and in the given order where they are equal. Gives the places of
 * each batch's texts. A longer text is a batch of its own.
 */
export function cutBatches(lengths: readonly number[], tokens: number): number[][] {
  const batches: number[][] = [];
  for (let first = 0; first < lengths.length; first += TEXTS_AT_ONCE) {
    const group = lengths.slice(first, first + TEXTS_AT_ONCE).map((_, i) => first + i);
    batches.push(...cutGroup(group, lengths, tokens));
  }
  return batches;
}

function cutGroup(places: readonly number[], lengths: readonly number[], tokens: number): number[][] {
  const batches: number[][] = [];
  let room = 0;
  for (const place of [...places].sort((a, b) => lengths[a] - lengths[b] || a - b)) {
    if (batches.length === 0 || lengths[place] > room) {
      batches.push([]);
      room = tokens;
    }
    batches.at(-1)!.push(place);
    room -= lengths[place];
  }
  return batches;
}
