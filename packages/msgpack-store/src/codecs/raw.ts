import { type Codec, DTYPES, elementCount, PruneError, tensorBytes, tensorFromBytes } from '@prune/core';

/** `raw`: the tensor's little-endian bytes. */
export function raw(): Codec {
  return {
    name: 'raw',
    encode: ([tensor]) => tensorBytes(tensor),
    decode(bytes, [info], limits) {
      const place = { tensor: info.name };
      const wanted = elementCount(info, place, limits) * DTYPES[info.dtype].bytes;
      if (bytes.length !== wanted) throw new PruneError('corrupt', { what: 'raw bytes', got: bytes.length, wanted });
      return [tensorFromBytes(info.dtype, info.shape, bytes, place, limits)];
    },
  };
}
