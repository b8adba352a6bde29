import { type Codec, DTYPES, elementCount, Pacer, type Tensor, tensorBytes, tensorFromBytes } from '@prune/core';
import { gunzip } from '../deflate/gunzip.js';
import { DEFAULT_LEVEL, gzip } from '../deflate/gzip.js';
import type { Segment } from '../deflate/segment.js';
import type { GzipOptions } from './gzip.js';
import { joinPlanes } from './join-planes.js';

/** Below this many bytes a code for each plane costs more than it saves. */
const SMALLEST = 256;

/**
 * `planes-gzip`: the first byte of every element, then the second, ..., as one gzip member. The exponents of weights are much alike and their low
 * bits are noise; apart, each gets a code of its own. For elements of two bytes and more, 256 bytes and more.
 */
export function planesGzip({ level = DEFAULT_LEVEL, ...platform }: GzipOptions = {}): Codec {
  return {
    name: 'planes-gzip',
    group({ name, dtype, shape }) {
      const bytes = shape.reduce((product, dimension) => product * dimension, DTYPES[dtype].bytes);
      return DTYPES[dtype].bytes > 1 && bytes >= SMALLEST ? { key: name, size: 1 } : undefined;
    },
    encode: ([tensor]) => gzip(planesOf(tensor), level, platform.crc32),
    async decode(bytes, [info], limits) {
      const width = DTYPES[info.dtype].bytes;
      const place = { tensor: info.name };
      const count = elementCount(info, place, limits);
      const pacer = new Pacer();
      const planes = await gunzip(bytes, { length: count * width, limit: limits.tensorBytes, ...platform, pacer });
      return [tensorFromBytes(info.dtype, info.shape, await joinPlanes(planes, width, pacer), place, limits)];
    },
  };
}

function planesOf(tensor: Tensor): Segment[] {
  const bytes = tensorBytes(tensor);
  const { bytes: width } = DTYPES[tensor.dtype];
  return Array.from({ length: width }, (_, plane) => ({
    length: tensor.data.length,
    tensor: 0,
    read(start, end) {
      const part = new Uint8Array(end - start);
      for (let i = 0, from = start * width + plane; i < part.length; i++, from += width) part[i] = bytes[from];
      return part;
    },
  }));
}
