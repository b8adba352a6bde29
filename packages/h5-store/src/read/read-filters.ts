import type { Filters } from './read-storage.js';
import { want } from './unknown-structure.js';

/**
 * The filters in a pipeline message, version 1 (h5py's) or 2 (ours): nothing but shuffle, by `width` bytes, and deflate behind it. Throws
 * `UnknownStructure` or a RangeError. Source: HDF5 File Format Specification 3.0, section IV.A.2.l.
 */
export function readFilters(body: DataView, width: number): Filters {
  const version = body.getUint8(0);
  want(version === 1 || version === 2, 'version of a filter pipeline');
  const filters: ('shuffle' | 'gzip')[] = [];
  let at = version === 1 ? 8 : 2;
  for (let left = body.getUint8(1); left > 0; left--) {
    const id = body.getUint16(at, true);
    want(id === 1 || id === 2, 'filter');
    // Version 2 leaves out the length of the name of a filter that everyone knows.
    const nameBytes = version === 1 ? 8 * Math.ceil(body.getUint16(at + 2, true) / 8) : 0;
    at += version === 1 ? 4 : 2;
    const values = body.getUint16(at + 2, true);
    at += 4 + nameBytes;
    if (id === 2) want(values === 1 && body.getUint32(at, true) === width && filters.length === 0, 'shuffle');
    else want(!filters.includes('gzip'), 'deflate');
    filters.push(id === 2 ? 'shuffle' : 'gzip');
    // Version 1 pads them to 8 bytes.
    at += 4 * (version === 1 ? 2 * Math.ceil(values / 2) : values);
  }
  return filters;
}
