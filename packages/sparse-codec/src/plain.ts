import type { CsrMatrix } from '@prune/core';
import { corrupt } from './corrupt.js';
import { type ByteReader, pushVarint } from './varint.js';

/** The form for matrices that no model pays for: tiny ones, and more than 65,535 columns. Row counts, column gaps, values. */
export function writePlain(out: number[], csr: CsrMatrix): void {
  const rows = csr.shape[0];
  for (let r = 0; r < rows; r++) {
    pushVarint(out, csr.indptr[r + 1] - csr.indptr[r]);
    let before = -1;
    for (let p = csr.indptr[r]; p < csr.indptr[r + 1]; p++) {
      pushVarint(out, csr.indices[p] - before - 1);
      out.push(csr.data[p] & 255);
      before = csr.indices[p];
    }
  }
}

export function readPlain(reader: ByteReader, csr: CsrMatrix): void {
  const [rows, columns] = csr.shape;
  let n = 0;
  for (let r = 0; r < rows; r++) {
    const end = n + reader.varint('nonzeros of a row', csr.data.length - n);
    let before = -1;
    for (; n < end; n++) {
      before += 1 + reader.varint('column gap', columns);
      const value = (reader.byte() << 24) >> 24;
      if (before >= columns) throw corrupt('column out of range', before, `below ${columns}`);
      if (value === 0) throw corrupt('stored zero', 0, 'a nonzero');
      csr.indices[n] = before;
      csr.data[n] = value;
    }
    csr.indptr[r + 1] = n;
  }
  if (n !== csr.data.length) throw corrupt('rows have too few nonzeros', n, csr.data.length);
}
