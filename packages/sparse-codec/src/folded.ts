/** A signed integer as a number >= 0 (SPEC.md): 0, 1, -1, 2, -2 become 0, 1, 2, 3, 4. */
export function folded(n: number): number {
  return n > 0 ? 2 * n - 1 : -2 * n;
}

/** The signed integer of a {@link folded} one. */
export function unfolded(n: number): number {
  return n % 2 === 1 ? (n + 1) / 2 : -n / 2;
}

/** An origin as a number >= 0: folded with its sign turned round, 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4. */
export function foldedOrigin(origin: number): number {
  return folded(-origin);
}

/** The origin of a {@link foldedOrigin}. */
export function unfoldedOrigin(n: number): number {
  return -unfolded(n);
}
