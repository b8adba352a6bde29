import type { CsrMatrix } from '@prune/core';
import { type GapTables, SCALE, SCALE_BITS, STRIDE } from './gap-tables.js';
import { RansEncoder } from './rans-encoder.js';

/** What the mask coder needs to know of a matrix, besides the nonzeros. */
export interface MaskShape {
  /** `[columns + 1]` the first slot of each column; the last entry is the number of slots. */
  readonly slotOf: Int32Array;
  /** `[rows]` 0 for an empty row, else 1 + density class. */
  readonly rowClass: Uint8Array;
}

/** The mask of rows `from .. to` as bytes: for each row the way to every nonzero, then "none left". Formula: SPEC.md, "Mask". */
export function encodeMask(tables: GapTables, shape: MaskShape, csr: CsrMatrix, from: number, to: number): Uint8Array {
  const { below, reach } = tables;
  const { slotOf, rowClass } = shape;
  const slots = slotOf[slotOf.length - 1];
  const coder = new RansEncoder(SCALE_BITS);
  for (let r = from; r < to; r++) {
    if (rowClass[r] === 0) continue;
    const k = rowClass[r] - 1;
    const table = k * STRIDE;
    const sight = reach[k];
    const escaped = below[table + sight];
    let base = 0;
    for (let p = csr.indptr[r]; p < csr.indptr[r + 1]; p++) {
      const first = slotOf[csr.indices[p]];
      const next = slotOf[csr.indices[p] + 1];
      for (; first - base >= sight; base += sight) coder.push(escaped, SCALE - escaped);
      const low = below[table + Math.max(first - base, 0)];
      coder.push(low, below[table + Math.min(next - base, sight)] - low);
      base = next;
    }
    for (; slots - base > sight; base += sight) coder.push(escaped, SCALE - escaped);
    if (base < slots) {
      const low = below[table + slots - base];
      coder.push(low, SCALE - low);
    }
  }
  return coder.finish(1);
}
