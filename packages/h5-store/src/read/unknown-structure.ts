/** Something in a file that the own reader does not know, or that contradicts itself: HDF5 is asked instead, which knows everything and says why. */
export class UnknownStructure extends Error {}

/** Throws {@link UnknownStructure} unless `known`. */
export function want(known: boolean, what: string): asserts known {
  if (!known) throw new UnknownStructure(what);
}

/** A 64-bit field as a number. One past 2^53 is no address and no size of any file. */
export function uint64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  want(high < 2 ** 21, 'a number past 2^53');
  return 2 ** 32 * high + view.getUint32(at, true);
}
