import { checkLimit, crc32, type Limits, PruneError } from '@prune/core';

/** Bytes of the prologue; see FORMAT.md. */
export const PROLOGUE_BYTES = 48;

/** The versions of the format that a reader takes; a writer writes the last one. */
const VERSIONS = [1, 2] as const;

export type FormatVersion = (typeof VERSIONS)[number];

/** As PNG's: a byte above ASCII, a name, and line ends that a text transfer would break. */
const MAGIC = Uint8Array.of(0x89, 0x50, 0x52, 0x55, 0x4e, 0x45, 0x0d, 0x0a);

/** Where the manifest of a container is. */
export interface Prologue {
  readonly version: FormatVersion;
  readonly manifestOffset: number;
  /** Bytes of the gzipped manifest. */
  readonly manifestLength: number;
  /** Bytes of the manifest unpacked. */
  readonly manifestDecoded: number;
  /** CRC-32 of the gzipped manifest. */
  readonly manifestCrc: number;
  /** Bytes of the whole file. */
  readonly fileLength: number;
}

/** Whether bytes, 8 or more, begin a `.prune` container. */
export function isMsgpackStore(head: Uint8Array): boolean {
  return MAGIC.every((byte, i) => head[i] === byte);
}

/** The prologue as bytes, its own CRC-32 last. */
export function encodePrologue(prologue: Prologue): Uint8Array {
  const bytes = new Uint8Array(PROLOGUE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, prologue.version, true);
  view.setBigUint64(12, BigInt(prologue.manifestOffset), true);
  view.setUint32(20, prologue.manifestLength, true);
  view.setUint32(24, prologue.manifestDecoded, true);
  view.setUint32(28, prologue.manifestCrc, true);
  view.setBigUint64(32, BigInt(prologue.fileLength), true);
  view.setUint32(44, crc32(bytes.subarray(0, 44)), true);
  return bytes;
}

/**
 * Reads and checks a prologue against the size of its file. Throws `unsupported` (another format or version), `corrupt`, `truncated`,
 * `limit` (a manifest past `limits.manifestBytes`).
 */
export function decodePrologue(bytes: Uint8Array, fileLength: number, limits: Limits): Prologue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isMsgpackStore(bytes)) throw new PruneError('unsupported', { what: 'not a .prune container' });
  const crc = crc32(bytes.subarray(0, 44));
  if (crc !== view.getUint32(44, true)) {
    throw new PruneError('corrupt', { what: 'CRC-32 of the prologue', got: crc, wanted: view.getUint32(44, true) });
  }
  const version = VERSIONS.find((one) => one === view.getUint32(8, true));
  if (version === undefined) {
    const wanted = VERSIONS.join(' or ');
    throw new PruneError('unsupported', { what: 'format version', got: view.getUint32(8, true), wanted });
  }
  const prologue: Prologue = {
    version,
    manifestOffset: Number(view.getBigUint64(12, true)),
    manifestLength: view.getUint32(20, true),
    manifestDecoded: view.getUint32(24, true),
    manifestCrc: view.getUint32(28, true),
    fileLength: Number(view.getBigUint64(32, true)),
  };
  if (prologue.fileLength !== fileLength) {
    const code = fileLength < prologue.fileLength ? 'truncated' : 'corrupt';
    throw new PruneError(code, { what: 'size of the file', got: fileLength, wanted: prologue.fileLength });
  }
  const { manifestOffset, manifestLength } = prologue;
  if (manifestOffset < PROLOGUE_BYTES || manifestOffset + manifestLength !== fileLength) {
    throw new PruneError('corrupt', {
      what: 'place of the manifest',
      got: `bytes ${manifestOffset} to ${manifestOffset + manifestLength}`,
      wanted: `the end of ${fileLength} bytes`,
    });
  }
  checkLimit('manifest is too large (bytes)', prologue.manifestDecoded, limits.manifestBytes);
  checkLimit('manifest is too large (bytes, gzipped)', manifestLength, limits.manifestBytes);
  return prologue;
}
