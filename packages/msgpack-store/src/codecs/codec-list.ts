import { type Codec, PruneError, type Sha256 } from '@prune/core';
import { entropyCodec, type Preset, rowsCodec } from '@prune/sparse-codec';
import { csrGzip } from './csr-gzip.js';
import { type GzipOptions, gzip } from './gzip.js';
import { planesGzip } from './planes-gzip.js';
import { raw } from './raw.js';

/** The names that {@link codecList} takes. */
export const MSGPACK_CODEC_NAMES = ['raw', 'gzip', 'csr-gzip', 'entropy'] as const;

export type MsgpackCodecName = (typeof MSGPACK_CODEC_NAMES)[number];

/** What a container is written with when nothing else is said. */
export const DEFAULT_CODEC: MsgpackCodecName = 'csr-gzip';

/** Options of {@link codecList}. */
export interface CodecListOptions extends GzipOptions {
  /** Of `entropy`: `fast` opens quickly, `max` is smallest. Default: `DEFAULT_PRESET` of `@prune/sparse-codec`. */
  readonly preset?: Preset;
  /** Of the writer of `rows`. Default: a portable SHA-256. */
  readonly sha256?: Sha256;
}

/**
 * The codecs behind a name, in the order in which a tensor is offered to them: `raw`; `gzip`; `csr-gzip`, which is gzip
 * behind the transform that suits the tensor (CSR gaps, byte planes); or `entropy`, which codes close to the entropy of
 * mask and values and leaves small or odd tensors to `csr-gzip`. The last two code tables so that their rows can be
 * read alone (`rows`). Throws `invalid-argument` for any other name.
 */
export function codecList(name: MsgpackCodecName = DEFAULT_CODEC, options: CodecListOptions = {}): readonly Codec[] {
  const { preset, sha256, ...gzipOptions } = options;
  if (name === 'raw') return [raw()];
  if (name === 'gzip') return [gzip(gzipOptions)];
  const tables = rowsCodec({ sha256 });
  const rest = [csrGzip(gzipOptions), planesGzip(gzipOptions), gzip(gzipOptions)];
  if (name === 'csr-gzip') return [tables, ...rest];
  if (name === 'entropy') return [tables, entropyCodec({ preset }), ...rest];
  throw new PruneError('invalid-argument', { what: 'codec', got: name, wanted: MSGPACK_CODEC_NAMES.join(', ') });
}

/** Every codec of this project, for reading. */
export function allCodecs(options: GzipOptions = {}): readonly Codec[] {
  return [raw(), ...codecList('entropy', options)];
}
