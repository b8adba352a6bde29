/**
 * Cuts texts of these lengths into batches of at most `tokens` tokens, from the shortest text to the longest, and in
 * the given order where they are equal. Gives the places of each batch's texts. A longer text is a batch of its own.
 */
export function cutBatches(lengths: readonly number[], tokens: number): number[][] {
  const order = lengths.map((_, place) => place).sort((a, b) => lengths[a] - lengths[b] || a - b);
  const batches: number[][] = [];
  let room = 0;
  for (const place of order) {
    if (batches.length === 0 || lengths[place] > room) {
      batches.push([]);
      room = tokens;
    }
    batches.at(-1)!.push(place);
    room -= lengths[place];
  }
  return batches;
}
