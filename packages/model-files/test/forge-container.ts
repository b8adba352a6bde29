import { gzipSync } from 'node:zlib';

/**
 * A msgpack value that may be wrong: maps are lists of pairs, so that a key can occur twice; `raw` stands for itself.
 */
export type Packed =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Packed[]
  | { readonly pairs: readonly (readonly [string, Packed])[] }
  | { readonly raw: Uint8Array };

/** A `.prune` container of these blocks and this manifest, with lengths and checksums that fit, whatever it says. */
export function forgeContainer(blocks: readonly Uint8Array[], manifest: Packed, version: 1 | 2): Uint8Array {
  const stored = Buffer.concat(blocks);
  const unpacked = pack(manifest);
  const packed = gzipSync(unpacked);
  // The one header that the reader takes: no name, no time, no system.
  packed.fill(0, 4, 10);
  const prologue = Buffer.alloc(48);
  prologue.set([0x89, 0x50, 0x52, 0x55, 0x4e, 0x45, 0x0d, 0x0a]);
  prologue.writeUInt32LE(version, 8);
  prologue.writeBigUInt64LE(BigInt(48 + stored.length), 12);
  prologue.writeUInt32LE(packed.length, 20);
  prologue.writeUInt32LE(unpacked.length, 24);
  prologue.writeUInt32LE(crcOf(packed), 28);
  prologue.writeBigUInt64LE(BigInt(48 + stored.length + packed.length), 32);
  prologue.writeUInt32LE(crcOf(prologue.subarray(0, 44)), 44);
  return Uint8Array.from(Buffer.concat([prologue, stored, packed]));
}

/** The CRC-32 of gzip, which its trailer has. */
export function crcOf(bytes: Uint8Array): number {
  const packed = gzipSync(bytes, { level: 0 });
  return packed.readUInt32LE(packed.length - 8);
}

function pack(value: Packed): Uint8Array {
  const parts: Uint8Array[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: Packed, out: Uint8Array[]): void {
  if (value === null) out.push(Uint8Array.of(0xc0));
  else if (typeof value === 'boolean') out.push(Uint8Array.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'number') out.push(numberBytes(value));
  else if (typeof value === 'string') {
    const text = new TextEncoder().encode(value);
    out.push(header(0xdb, text.length), text);
  } else if (value instanceof Uint8Array) out.push(header(0xc6, value.length), value);
  else if (Array.isArray(value)) {
    out.push(header(0xdd, value.length));
    for (const one of value as readonly Packed[]) write(one, out);
  } else if ('raw' in value) out.push(value.raw);
  else if ('pairs' in value) {
    out.push(header(0xdf, value.pairs.length));
    for (const [key, one] of value.pairs) {
      write(key, out);
      write(one, out);
    }
  }
}

function header(type: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(5);
  bytes[0] = type;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return header(0xce, value);
  bytes[0] = 0xcb;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}
