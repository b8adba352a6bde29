/** A set of code points from its packed ranges (see unicode-classes.ts). Membership takes one table look-up below 128, a binary search above. */
export function codePointSet(packed: string): (codePoint: number) => boolean {
  const bounds: number[] = [];
  let end = 0;
  for (const part of packed.split(' ')) {
    end += Number.parseInt(part, 36);
    bounds.push(end);
  }
  const search = (codePoint: number): boolean => {
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bounds[middle] <= codePoint) low = middle + 1;
      else high = middle;
    }
    // Bounds alternate: begin, end, begin, ... An odd number of them at or below means inside a range.
    return low % 2 === 1;
  };
  const ascii = Array.from({ length: 128 }, (_, codePoint) => search(codePoint));
  return (codePoint) => (codePoint < 128 ? ascii[codePoint] : search(codePoint));
}
