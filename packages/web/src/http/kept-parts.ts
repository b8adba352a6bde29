import type { Part } from './part.js';

/**
 * The parts of a file that are in memory or on their way, none of which overlap. Those that have arrived are kept up to
 * a number of bytes; those used longest ago go first.
 */
export class KeptParts {
  readonly #most: number;
  /** By their place in the file. */
  #parts: Part[] = [];
  /** Those that have arrived; the one used last is the last. */
  readonly #arrived = new Set<Part>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The parts that have bytes of `[start, end)`, in order. */
  within(start: number, end: number): Part[] {
    const found: Part[] = [];
    for (let i = this.#place(start); i < this.#parts.length && this.#parts[i].start < end; i++) {
      found.push(this.#parts[i]);
    }
    return found;
  }

  /** The ranges of `[start, end)` that no part has. */
  missing(start: number, end: number): [start: number, end: number][] {
    const gaps: [number, number][] = [];
    let at = start;
    for (const part of this.within(start, end)) {
      if (part.start > at) gaps.push([at, part.start]);
      at = Math.max(at, part.end);
    }
    if (at < end) gaps.push([at, end]);
    return gaps;
  }

  add(part: Part): void {
    this.#parts.splice(this.#place(part.start), 0, part);
  }

  /** Says that a part has arrived, or was used again. */
  touch(part: Part): void {
    if (this.#parts[this.#place(part.start)] !== part) return;
    if (!this.#arrived.delete(part)) this.#bytes += part.bytes.byteLength;
    this.#arrived.add(part);
    for (const oldest of this.#arrived) {
      if (this.#bytes <= this.#most) break;
      this.remove(oldest);
    }
  }

  remove(part: Part): void {
    const place = this.#place(part.start);
    if (this.#parts[place] !== part) return;
    this.#parts.splice(place, 1);
    if (this.#arrived.delete(part)) this.#bytes -= part.bytes.byteLength;
  }

  all(): readonly Part[] {
    return this.#parts;
  }

  clear(): void {
    this.#parts = [];
    this.#arrived.clear();
    this.#bytes = 0;
  }

  /** The number of parts that end at or before `position`, which is where one that starts there belongs. */
  #place(position: number): number {
    let [low, high] = [0, this.#parts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#parts[middle].end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
