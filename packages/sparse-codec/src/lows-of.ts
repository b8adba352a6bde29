/** Where the positions of each symbol begin: the sum of the frequencies before its own. */
export function lowsOf(frequency: Uint16Array): Uint16Array {
  const low = new Uint16Array(frequency.length);
  for (let i = 1; i < low.length; i++) low[i] = low[i - 1] + frequency[i - 1];
  return low;
}
