/**
 * The weights that a column can have, in slots: 0, 1, 2, 3, 4, 6, 8, 12, 16 .. 4,096. Steps of about a half: what a column's
 * weight costs to say grows by a bit when the step is halved, what a rough weight loses is a quarter of that at 40 nonzeros a column.
 */
export const COLUMN_WEIGHTS: readonly number[] = weights();

function weights(): number[] {
  const list = [0, 1];
  for (let octave = 2; octave <= 2048; octave *= 2) list.push(octave, octave + octave / 2);
  list.push(4096);
  return list;
}
