import { type Crc32, MAX_DEFLATE_RATIO, crc32 as ownCrc32, Pacer, PruneError } from '@prune/core';
import { Inflate, inflateSync } from 'fflate';
import { crcInTurns } from '../crc-in-turns.js';

/** What a platform does faster than JavaScript and with the same result; each left out has a default. */
export interface GunzipPlatform {
  /**
   * Raw DEFLATE to exactly `length` bytes; throws or rejects, with anything, when there are more, or when the stream is
   * bad. Default: fflate's, in pieces with returns to the event loop.
   */
  readonly inflate?: (bytes: Uint8Array, length: number) => Uint8Array | Promise<Uint8Array>;
  readonly crc32?: Crc32;
}

/**
 * The data of one gzip member as {@link gzip} writes it, `length` bytes or, left out, as many as its trailer says, at most `limit`.
 * Throws `corrupt` when it is not that, before memory that the input cannot fill is taken, or when its CRC-32 differs.
 */
export async function gunzip(
  bytes: Uint8Array,
  {
    length,
    limit,
    pacer = new Pacer(),
    inflate = (deflated, length) => inflateWithFflate(deflated, length, pacer),
    crc32 = ownCrc32,
  }: { readonly length?: number; readonly limit: number; readonly pacer?: Pacer } & GunzipPlatform,
): Promise<Uint8Array> {
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
  const data = await inflateExactly(bytes.subarray(10, bytes.length - 8), wanted, inflate);
  const crc = await crcInTurns(data, crc32, pacer);
  const wantedCrc = view.getUint32(bytes.length - 8, true);
  if (crc !== wantedCrc)
    throw new PruneError('corrupt', { what: 'CRC-32 of the decompressed data', got: crc, wanted: wantedCrc });
  return data;
}

async function inflateExactly(
  bytes: Uint8Array,
  length: number,
  inflate: Required<GunzipPlatform>['inflate'],
): Promise<Uint8Array> {
  let data: Uint8Array;
  try {
    data = await inflate(bytes, length);
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

/** Bytes from which on data is inflated in pieces: fflate takes some 10 ms for as many. */
const LARGE = 2 ** 20;
/**
 * Bytes that fflate is given at a time; they inflate to 64 MB at most, and usually in 2 ms. It copies 32 KB around
 * each, which for a quarter as many bytes took a fifth more in all.
 */
const PIECE = 2 ** 16;

async function inflateWithFflate(bytes: Uint8Array, length: number, pacer: Pacer): Promise<Uint8Array> {
  // One byte more than wanted, because fflate drops what does not fit in silence.
  if (length < LARGE) return inflateSync(bytes, { out: new Uint8Array(length + 1) });
  const data = new Uint8Array(length);
  let at = 0;
  const stream = new Inflate((part) => {
    if (at + part.length > length) throw new Error(`more than ${length} bytes`);
    data.set(part, at);
    at += part.length;
  });
  for (let from = 0; from < bytes.length; from += PIECE) {
    await pacer.pause();
    stream.push(bytes.subarray(from, from + PIECE), from + PIECE >= bytes.length);
  }
  return data.subarray(0, at);
}
