import { type ByteSink, crc32, PruneError } from '@prune/core';

/** Where the bytes of every entry begin: at a multiple of this, as torch writes them, for readers that map the file. */
export const ZIP_ALIGNMENT = 64;

const LOCAL_BYTES = 30;
const MAX_UINT32 = 0xffff_ffff;
/** Sizes and CRC follow the bytes, and names are UTF-8. */
const FLAGS = 0x0808;

interface Entry {
  readonly name: Uint8Array;
  readonly offset: number;
  crc: number;
  size: number;
}

/**
 * Writes an archive as torch's own writer does: nothing compressed, entries aligned, the CRC after an entry's bytes, so
 * that an entry is written while it is made, front to back. Dates are left out, so that equal entries give equal files.
 */
export class ZipWriter {
  readonly #sink: Pick<ByteSink, 'write'>;
  readonly #entries: Entry[] = [];
  #offset = 0;

  constructor(sink: Pick<ByteSink, 'write'>) {
    this.#sink = sink;
  }

  /** Writes one entry, which `fill` writes with the function that it gets. Throws `limit` for 4 GiB. */
  async entry(name: string, fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
    const entry: Entry = { name: new TextEncoder().encode(name), offset: this.#offset, crc: 0, size: 0 };
    const start = this.#offset + LOCAL_BYTES + entry.name.length + 4;
    const padding = (ZIP_ALIGNMENT - (start % ZIP_ALIGNMENT)) % ZIP_ALIGNMENT;
    const local = new DataView(new ArrayBuffer(LOCAL_BYTES));
    local.setUint32(0, 0x04034b50, true);
    local.setUint16(6, FLAGS, true);
    local.setUint16(26, entry.name.length, true);
    local.setUint16(28, padding + 4, true);
    // torch's own extra field.
    const extra = new Uint8Array(padding + 4).fill(0x5a);
    extra.set([0x46, 0x42, padding, 0]);
    for (const part of [bytesOf(local), entry.name, extra]) await this.#write(part);
    await fill(async (bytes) => {
      entry.size += bytes.length;
      if (entry.size >= MAX_UINT32) {
        throw new PruneError('limit', { what: `${name} is too large (bytes)`, got: entry.size, wanted: 'below 4 GiB' });
      }
      entry.crc = crc32(bytes, entry.crc);
      await this.#write(bytes);
    });
    const descriptor = new DataView(new ArrayBuffer(16));
    descriptor.setUint32(0, 0x08074b50, true);
    descriptor.setUint32(4, entry.crc, true);
    descriptor.setUint32(8, entry.size, true);
    descriptor.setUint32(12, entry.size, true);
    await this.#write(bytesOf(descriptor));
    this.#entries.push(entry);
  }

  /** Writes the directory. */
  async finish(): Promise<void> {
    const start = this.#offset;
    for (const { name, offset, crc, size } of this.#entries) {
      const far = offset >= MAX_UINT32;
      const central = new DataView(new ArrayBuffer(46));
      central.setUint32(0, 0x02014b50, true);
      central.setUint16(8, FLAGS, true);
      central.setUint32(16, crc, true);
      central.setUint32(20, size, true);
      central.setUint32(24, size, true);
      central.setUint16(28, name.length, true);
      central.setUint16(30, far ? 12 : 0, true);
      central.setUint32(42, far ? MAX_UINT32 : offset, true);
      await this.#write(bytesOf(central));
      await this.#write(name);
      if (!far) continue;
      const extra = new DataView(new ArrayBuffer(12));
      extra.setUint16(0, 1, true);
      extra.setUint16(2, 8, true);
      extra.setBigUint64(4, BigInt(offset), true);
      await this.#write(bytesOf(extra));
    }
    await this.#end(start, this.#offset - start);
  }

  /** The end of the directory, twice: with 64-bit numbers, and as every reader knows it. */
  async #end(start: number, size: number): Promise<void> {
    const count = this.#entries.length;
    const end64 = new DataView(new ArrayBuffer(56 + 20));
    end64.setUint32(0, 0x06064b50, true);
    end64.setBigUint64(4, 44n, true);
    end64.setUint16(12, 0x031e, true);
    end64.setUint16(14, 45, true);
    end64.setBigUint64(24, BigInt(count), true);
    end64.setBigUint64(32, BigInt(count), true);
    end64.setBigUint64(40, BigInt(size), true);
    end64.setBigUint64(48, BigInt(start), true);
    end64.setUint32(56, 0x07064b50, true);
    end64.setBigUint64(64, BigInt(start + size), true);
    end64.setUint32(72, 1, true);
    const end = new DataView(new ArrayBuffer(22));
    end.setUint32(0, 0x06054b50, true);
    end.setUint16(8, Math.min(count, 0xffff), true);
    end.setUint16(10, Math.min(count, 0xffff), true);
    end.setUint32(12, Math.min(size, MAX_UINT32), true);
    end.setUint32(16, Math.min(start, MAX_UINT32), true);
    await this.#write(bytesOf(end64));
    await this.#write(bytesOf(end));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
    this.#offset += bytes.length;
  }
}

function bytesOf({ buffer }: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer);
}
