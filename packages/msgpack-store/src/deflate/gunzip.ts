import { MAX_DEFLATE_RATIO, PruneError } from '@prune/core';
import { inflateSync } from 'fflate';
import { crc32 as ownCrc32 } from '../crc32.js';

/** The CRC-32 of gzip, an unsigned number; `seed` continues an earlier one. Default: this package's. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** What a platform does faster than JavaScript and with the same result; each left out has a default. */
export interface GunzipPlatform {
  /** Raw DEFLATE to exactly `length` bytes; throws anything when there are more, or when the stream is bad. Default: fflate's. */
  readonly inflate?: (bytes: Uint8Array, length: number) => Uint8Array;
  readonly crc32?: Crc32;
}

/**
 * The data of one gzip member as {@link gzip} writes it, `length` bytes or, left out, as many as its trailer says, at most `limit`.
 * Throws `corrupt` when it is not that, before memory that the input cannot fill is taken, or when its CRC-32 differs.
 */
export function gunzip(
  bytes: Uint8Array,
  {
    length,
    limit,
    inflate = inflateWithFflate,
    crc32 = ownCrc32,
  }: { readonly length?: number; readonly limit: number } & GunzipPlatform,
): Uint8Array {
  if (bytes.length < 18) throw new PruneError('corrupt', { what: 'gzip data is too short', got: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== 0x00088b1f)
    throw new PruneError('corrupt', { what: 'not a plain gzip header', got: `0x${view.getUint32(0).toString(16)}` });
  const declared = view.getUint32(bytes.length - 4, true);
  const wanted = length ?? declared;
  if (wanted >>> 0 !== declared)
    throw new PruneError('corrupt', { what: 'gzip data has the wrong length', got: declared, wanted });
  if (wanted > limit) throw new PruneError('limit', { what: 'gzip data is too long', got: wanted, wanted: limit });
  if (wanted > MAX_DEFLATE_RATIO * bytes.length)
    throw new PruneError('corrupt', { what: 'gzip data cannot be that long', got: wanted, wanted: bytes.length });
  const data = inflateExactly(bytes.subarray(10, bytes.length - 8), wanted, inflate);
  const crc = crc32(data);
  const wantedCrc = view.getUint32(bytes.length - 8, true);
  if (crc !== wantedCrc)
    throw new PruneError('corrupt', { what: 'CRC-32 of the decompressed data', got: crc, wanted: wantedCrc });
  return data;
}

function inflateExactly(bytes: Uint8Array, length: number, inflate: Required<GunzipPlatform>['inflate']): Uint8Array {
  let data: Uint8Array;
  try {
    data = inflate(bytes, length);
  } catch (cause) {
    throw new PruneError('corrupt', {
      what: `bad DEFLATE data: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  if (data.length !== length)
    throw new PruneError('corrupt', { what: 'decompressed length', got: data.length, wanted: length });
  return data;
}

/** One byte more than wanted, because fflate drops what does not fit in silence. */
function inflateWithFflate(bytes: Uint8Array, length: number): Uint8Array {
  return inflateSync(bytes, { out: new Uint8Array(length + 1) });
}
