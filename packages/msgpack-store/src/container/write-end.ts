import { type ByteSink, type Crc32, crc32 as ownCrc32 } from '@prune/core';
import { DEFAULT_LEVEL, gzip } from '../deflate/gzip.js';
import { segmentOf } from '../deflate/segment.js';
import { encodeManifest } from './encode-manifest.js';
import type { Manifest } from './manifest.js';
import { encodePrologue } from './prologue.js';

/** Writes the manifest behind the blocks, which end at `offset`, and the prologue before them, and commits the sink. */
export async function writeEnd(
  sink: ByteSink,
  offset: number,
  manifest: Manifest,
  crc32: Crc32 = ownCrc32,
): Promise<void> {
  const unpacked = encodeManifest(manifest);
  const pieces = [...gzip([segmentOf(unpacked)], DEFAULT_LEVEL)];
  let crc = 0;
  let length = 0;
  for (const { bytes } of pieces) {
    await sink.write(bytes);
    crc = crc32(bytes, crc);
    length += bytes.length;
  }
  await sink.writeAt(
    0,
    encodePrologue({
      version: 2,
      manifestOffset: offset,
      manifestLength: length,
      manifestDecoded: unpacked.length,
      manifestCrc: crc,
      fileLength: offset + length,
    }),
  );
  await sink.commit();
}
