import { uint64, want } from './unknown-structure.js';

/** The shape in a dataspace message, version 1 (h5py's) or 2 (ours). Throws `UnknownStructure` or a RangeError. Source: HDF5 File Format Specification 3.0, IV.A.2.b. */
export function readSpace(body: DataView): number[] {
  const version = body.getUint8(0);
  const rank = body.getUint8(1);
  // Flag 1: maximal sizes follow, which say nothing of what is there. Flag 2: a permutation, which nobody writes.
  want((body.getUint8(2) & ~1) === 0, 'flags of a dataspace');
  if (version === 2) want(body.getUint8(3) === (rank === 0 ? 0 : 1), 'null dataspace');
  else want(version === 1, 'version of a dataspace');
  const first = version === 1 ? 8 : 4;
  return Array.from({ length: rank }, (_, d) => uint64(body, first + 8 * d));
}
