/** Synchronous reads of the file that h5wasm has open. */
export interface FileBytes {
  readonly size: number;
  /** Exactly these bytes; throws at the end of the file. */
  read(offset: number, length: number): Uint8Array;
}

const CONTINUATION = 0x10;
/** `OHDR`, little-endian. */
const OHDR = 0x5244484f;
/** Continuation blocks of a header, at most: a chain may be a circle. */
const MOST_BLOCKS = 4096;

/**
 * The messages of the object header at `address`, version 1 or 2, its continuation blocks included. Throws a RangeError for what is none.
 * Source: HDF5 File Format Specification 3.0, section IV.A.1.
 */
export function* headerMessages(file: FileBytes, address: number): Generator<{ type: number; body: DataView }> {
  const start = view(file.read(address, 16));
  const modern = start.getUint32(0, true) === OHDR;
  const flags = modern ? start.getUint8(5) : 0;
  const blocks: [offset: number, length: number][] = [];
  if (modern) {
    const sizeAt = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    const width = 1 << (flags & 3);
    const size = view(file.read(address + sizeAt, width));
    const length = width === 1 ? size.getUint8(0) : width === 2 ? size.getUint16(0, true) : size.getUint32(0, true);
    blocks.push([address + sizeAt + width, length]);
  } else {
    blocks.push([address + 16, start.getUint32(8, true)]);
  }
  const head = modern ? 4 + (flags & 0x04 ? 2 : 0) : 8;
  for (let b = 0; b < blocks.length && b < MOST_BLOCKS; b++) {
    const [offset, length] = blocks[b];
    const bytes = view(file.read(offset, length));
    for (let at = 0; at + head <= bytes.byteLength; ) {
      const type = modern ? bytes.getUint8(at) : bytes.getUint16(at, true);
      const size = bytes.getUint16(at + (modern ? 1 : 2), true);
      if (at + head + size > bytes.byteLength) throw new RangeError('a message does not end inside its header');
      const body = new DataView(bytes.buffer, bytes.byteOffset + at + head, size);
      yield { type, body };
      if (type === CONTINUATION) {
        const to = Number(body.getBigUint64(0, true));
        const span = Number(body.getBigUint64(8, true));
        // A version 2 block has a signature in front and a checksum behind.
        blocks.push(modern ? [to + 4, span - 8] : [to, span]);
      }
      at += head + size;
    }
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
