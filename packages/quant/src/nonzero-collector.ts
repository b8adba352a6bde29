/** The nonzeros of a matrix. */
export interface Nonzeros {
  /** Where each is in the row-major matrix, ascending. */
  readonly places: Uint32Array;
  /** NaN and infinities too. */
  readonly values: Float32Array;
}

/** Pairs that are looked at together: their places stay in the first-level cache. */
const STRIDE = 4096;

/**
 * Takes a matrix piece by piece and keeps what is not 0 or -0. Two neighbours are read as one float64, which is 0 or -0 exactly when the first is 0 and
 * the second 0 or -0: a pruned matrix is mostly such pairs. Nothing branches on a value, because no processor can guess where the nonzeros are.
 */
export class NonzeroCollector {
  #places = new Uint32Array(1024);
  #values = new Float32Array(1024);
  #count = 0;
  /** Elements seen. */
  #length = 0;
  readonly #found = new Uint32Array(STRIDE);

  /** The next elements of the matrix, which are not kept. */
  add(piece: Float32Array): void {
    // A view of nothing may begin anywhere, a float64 begins at a multiple of 8 bytes.
    if (piece.length === 0) return;
    const first = (piece.byteOffset / 4) % 2;
    const pairs = new Float64Array(piece.buffer, piece.byteOffset + 4 * first, (piece.length - first) >> 1);
    if (first === 1) this.#keep(piece, Uint32Array.of(0), 1, 1);
    for (let start = 0; start < pairs.length; start += STRIDE) {
      const end = Math.min(start + STRIDE, pairs.length);
      const found = this.#found;
      let count = 0;
      for (let pair = start; pair < end; pair++) {
        found[count] = first + 2 * pair;
        count += pairs[pair] === 0 ? 0 : 1;
      }
      this.#keep(piece, found, count, 2);
    }
    const rest = first + 2 * pairs.length;
    if (rest < piece.length) this.#keep(piece, Uint32Array.of(rest), 1, 1);
    this.#length += piece.length;
  }

  /** What was kept. */
  nonzeros(): Nonzeros {
    return { places: this.#places.subarray(0, this.#count), values: this.#values.subarray(0, this.#count) };
  }

  /** Keeps the nonzeros among `width` elements from each of the first `count` places of `found`. */
  #keep(piece: Float32Array, found: Uint32Array, count: number, width: 1 | 2): void {
    this.#room(width * count);
    const places = this.#places;
    const values = this.#values;
    let kept = this.#count;
    for (let i = 0; i < count; i++) {
      for (let index = found[i]; index < found[i] + width; index++) {
        const value = piece[index];
        // Written in any case, kept when it counts.
        places[kept] = this.#length + index;
        values[kept] = value;
        kept += value === 0 ? 0 : 1;
      }
    }
    this.#count = kept;
  }

  #room(count: number): void {
    // One more is written than is kept.
    const wanted = this.#count + count + 1;
    if (wanted <= this.#places.length) return;
    const length = Math.max(wanted, 2 * this.#places.length);
    const places = new Uint32Array(length);
    places.set(this.#places);
    this.#places = places;
    const values = new Float32Array(length);
    values.set(this.#values);
    this.#values = values;
  }
}
