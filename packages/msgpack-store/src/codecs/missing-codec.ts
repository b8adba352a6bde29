import { PruneError } from '@prune/core';

/** Codecs that are packages of their own, and what of each a reader is given. */
const CODEC_PACKAGES: ReadonlyMap<string, string> = new Map([['entropy', 'entropyCodec() of @prune/sparse-codec']]);

/** The error for a codec that the reader was not given: says where one is that this software has. */
export function missingCodec(codec: string, given: Iterable<string>): PruneError {
  const known = CODEC_PACKAGES.get(codec);
  const wanted = known === undefined ? [...given].join(', ') : `${known} in the option \`codecs\``;
  return new PruneError('unsupported', { what: 'codec', got: codec, wanted });
}
