import { type Codec, DTYPES, elementCount, Pacer, tensorBytes, tensorFromBytes } from '@prune/core';
import { type GunzipPlatform, gunzip } from '../deflate/gunzip.js';
import { gzip as compress, DEFAULT_LEVEL, type GzipLevel } from '../deflate/gzip.js';
import { segmentOf } from '../deflate/segment.js';

/** Options of the codecs that end in gzip. */
export interface GzipOptions extends GunzipPlatform {
  /** Default: `DEFAULT_LEVEL`. */
  readonly level?: GzipLevel;
}

/** `gzip`: the tensor's little-endian bytes as one gzip member. */
export function gzip({ level = DEFAULT_LEVEL, ...platform }: GzipOptions = {}): Codec {
  return {
    name: 'gzip',
    encode: ([tensor]) => compress([segmentOf(tensorBytes(tensor), 0)], level, platform.crc32),
    async decode(bytes, [info], limits) {
      const place = { tensor: info.name };
      const length = elementCount(info, place, limits) * DTYPES[info.dtype].bytes;
      const inflated = await gunzip(bytes, { length, limit: limits.tensorBytes, ...platform, pacer: new Pacer() });
      return [tensorFromBytes(info.dtype, info.shape, inflated, place, limits)];
    },
  };
}
