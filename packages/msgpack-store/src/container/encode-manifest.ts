import { Packr } from 'msgpackr/index-no-eval';
import type { Manifest } from './manifest.js';

/** The manifest of version 2 as msgpack. What is undefined or empty is left out. */
export function encodeManifest({ blocks, bases, models }: Manifest): Uint8Array {
  const packr = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true });
  const packed = packr.pack({
    blocks: blocks.map(({ parts, codec, offset, base, length, crc32, sha256, shares }) =>
      present({ codec, offset, base, length, crc32, sha256, shares, parts: parts.length > 0 ? parts : undefined }),
    ),
    ...(bases.length > 0 && { bases: bases.map((name) => ({ name })) }),
    models: models.map(({ name, entries, files, config, modules, profile, sentence }) =>
      present({ name, entries: entries.map(present), files, config, modules, profile, sentence }),
    ),
  });
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength).slice();
}

function present(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
