/** A range of a file, and what has its bytes. */
export interface MappedRange<T> {
  readonly start: number;
  readonly end: number;
  readonly value: T;
}

/** Ranges of a file that do not overlap, in order. */
export class RangeMap<T> {
  readonly #ranges: MappedRange<T>[] = [];

  /** Adds a range where nothing is yet, and gives the parts that were added. */
  add(start: number, end: number, value: T): MappedRange<T>[] {
    const added = this.missing(start, end).map(([start, end]) => ({ start, end, value }));
    for (const range of added) this.#ranges.splice(this.#place(range.start), 0, range);
    return added;
  }

  /** The ranges that have bytes of `[start, end)`. */
  within(start: number, end: number): MappedRange<T>[] {
    const found: MappedRange<T>[] = [];
    for (let i = this.#place(start); i < this.#ranges.length && this.#ranges[i].start < end; i++) {
      found.push(this.#ranges[i]);
    }
    return found;
  }

  /** The parts of `[start, end)` that no range has. */
  missing(start: number, end: number): [start: number, end: number][] {
    const gaps: [number, number][] = [];
    let at = start;
    for (const range of this.within(start, end)) {
      if (range.start > at) gaps.push([at, range.start]);
      at = Math.max(at, range.end);
    }
    if (at < end) gaps.push([at, end]);
    return gaps;
  }

  /** Bytes of all ranges. */
  get bytes(): number {
    return this.#ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** The number of ranges that end at or before `position`. */
  #place(position: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[middle].end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
