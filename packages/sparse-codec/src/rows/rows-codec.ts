import { sha256 as portableSha256 } from '@noble/hashes/sha2.js';
import type { Codec, Sha256 } from '@prune/core';
import { decodeRows } from './decode-rows.js';
import { encodeRows } from './encode-rows.js';
import { selectRows } from './select-rows.js';
import { groupOf } from './table-of.js';
import { withoutPlace } from './without-place.js';

export interface RowsCodecOptions {
  /** The SHA-256 that a writer uses, such as that of `node:crypto`; a portable one by default. */
  readonly sha256?: Sha256;
}

/**
 * The container's codec `rows`: tables of floats of at least 64 rows, of which any rows can be read without the others.
 * Small groups of rows are coded alone, each with a CRC-32; two parts at the end of a block hold the groups' hashes and
 * the directory. `encode` leaves to the next codec what would take more than 103 % of its bytes, or would expand beyond
 * `MAX_EXPANSION` when it is decoded. `decode` and `selectRows` need no options.
 */
export function rowsCodec(options: RowsCodecOptions = {}): Codec {
  return {
    name: 'rows',
    group: groupOf,
    encode: (tensors) => encodeRows(tensors, options.sha256 ?? portableSha256),
    async decode(...args) {
      try {
        return await decodeRows(...args);
      } catch (error) {
        throw withoutPlace(error);
      }
    },
    async selectRows(...args) {
      try {
        const select = await selectRows(...args);
        return async (...asked) => {
          try {
            return await select(...asked);
          } catch (error) {
            throw withoutPlace(error);
          }
        };
      } catch (error) {
        throw withoutPlace(error);
      }
    },
  };
}
