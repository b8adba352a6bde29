import { deflateRawSync } from 'node:zlib';
import { type Bytes, bool, dict, integer, list, pickle, text } from './make-pickle.js';

export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  /** Sizes and offset in the 64-bit extra field. */
  readonly wide?: boolean;
}

/** A zip archive, as torch and others write them. CRCs are left at 0: nobody checks them. */
export function makeZip(files: readonly ZipFile[], { wideEnd = false, comment = '' } = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes, deflate = false, wide = false } of files) {
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const title = new TextEncoder().encode(name);
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    local.setUint16(8, deflate ? 8 : 0, true);
    local.setUint16(26, title.length, true);
    const central = new DataView(new ArrayBuffer(46));
    central.setUint32(0, 0x02014b50, true);
    central.setUint16(10, deflate ? 8 : 0, true);
    central.setUint32(20, wide ? 0xffff_ffff : packed.length, true);
    central.setUint32(24, wide ? 0xffff_ffff : bytes.length, true);
    central.setUint16(28, title.length, true);
    central.setUint16(30, wide ? 28 : 0, true);
    central.setUint32(42, wide ? 0xffff_ffff : offset, true);
    const extra = new DataView(new ArrayBuffer(wide ? 28 : 0));
    if (wide) {
      extra.setUint16(0, 1, true);
      extra.setUint16(2, 24, true);
      for (const [i, value] of [bytes.length, packed.length, offset].entries())
        extra.setBigUint64(4 + 8 * i, BigInt(value), true);
    }
    parts.push(raw(local), title, packed);
    directory.push(raw(central), title, raw(extra));
    offset += 30 + title.length + packed.length;
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  const end64 = new DataView(new ArrayBuffer(wideEnd ? 56 + 20 : 0));
  if (wideEnd) {
    end64.setUint32(0, 0x06064b50, true);
    end64.setBigUint64(32, BigInt(files.length), true);
    end64.setBigUint64(40, BigInt(directoryBytes), true);
    end64.setBigUint64(48, BigInt(offset), true);
    end64.setUint32(56, 0x07064b50, true);
    end64.setBigUint64(64, BigInt(offset + directoryBytes), true);
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(10, wideEnd ? 0xffff : files.length, true);
  end.setUint32(12, wideEnd ? 0xffff_ffff : directoryBytes, true);
  end.setUint32(16, wideEnd ? 0xffff_ffff : offset, true);
  end.setUint16(20, comment.length, true);
  return concat([...parts, ...directory, raw(end64), raw(end), new TextEncoder().encode(comment)]);
}

/** torch's zip format: a state dict's pickle and its storages by key. */
export function makeTorchZip(
  root: Bytes,
  storages: Readonly<Record<string, Uint8Array>>,
  options: Pick<ZipFile, 'deflate' | 'wide'> & { wideEnd?: boolean; comment?: string; byteOrder?: string } = {},
): Uint8Array {
  const { byteOrder = 'little' } = options;
  const files = [
    { name: 'archive/data.pkl', bytes: pickle(root), ...options },
    { name: 'archive/byteorder', bytes: new TextEncoder().encode(byteOrder) },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes, ...options })),
  ];
  return makeZip(files, options);
}

const MAGIC: Bytes = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** torch's older format; each storage with the number of its elements. */
export function makeTorchStream(
  root: Bytes,
  storages: Readonly<Record<string, { bytes: Uint8Array; elements: number }>>,
  { littleEndian = true } = {},
): Uint8Array {
  const parts = [
    pickle(MAGIC),
    pickle(integer(1001)),
    pickle(dict(text('protocol_version'), integer(1001), text('little_endian'), bool(littleEndian))),
    pickle(root),
    pickle(list(...Object.keys(storages).map(text))),
  ];
  for (const { bytes, elements } of Object.values(storages)) {
    const count = new DataView(new ArrayBuffer(8));
    count.setBigInt64(0, BigInt(elements), true);
    parts.push(raw(count), bytes);
  }
  return concat(parts);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function raw(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}
