import { type Codec, PruneError } from '@prune/core';
import { csrGzip } from './csr-gzip.js';
import { type GzipOptions, gzip } from './gzip.js';
import { planesGzip } from './planes-gzip.js';
import { raw } from './raw.js';

/** The names that {@link codecList} takes. */
export const MSGPACK_CODEC_NAMES = ['raw', 'gzip', 'csr-gzip'] as const;

export type MsgpackCodecName = (typeof MSGPACK_CODEC_NAMES)[number];

/** What a container is written with when nothing else is said. */
export const DEFAULT_CODEC: MsgpackCodecName = 'csr-gzip';

/**
 * The codecs behind a name, in the order in which a tensor is offered to them: `raw`; `gzip`; or `csr-gzip`, which is gzip
 * behind the transform that suits the tensor (CSR gaps, byte planes). Throws `invalid-argument` for any other name.
 */
export function codecList(name: MsgpackCodecName = DEFAULT_CODEC, options: GzipOptions = {}): readonly Codec[] {
  if (name === 'raw') return [raw()];
  if (name === 'gzip') return [gzip(options)];
  if (name !== 'csr-gzip') {
    throw new PruneError('invalid-argument', { what: 'codec', got: name, wanted: MSGPACK_CODEC_NAMES.join(', ') });
  }
  return [csrGzip(options), planesGzip(options), gzip(options)];
}

/** Every codec of this package, for reading. */
export function allCodecs(options: GzipOptions = {}): readonly Codec[] {
  return [raw(), ...codecList('csr-gzip', options)];
}
