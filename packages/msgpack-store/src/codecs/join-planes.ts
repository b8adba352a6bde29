import { inBlocks, type Pacer } from '@prune/core';

/**
 * Elements from their byte planes: byte 0 of every element, then byte 1 of every element, ... Whole elements at a time where a processor has such
 * numbers: 2 to 4 times as fast as byte by byte.
 */
export async function joinPlanes(planes: Uint8Array, width: number, pacer: Pacer): Promise<Uint8Array> {
  const count = planes.byteLength / width;
  const joined = new Uint8Array(planes.byteLength);
  await inBlocks(
    count,
    pacer,
    (from, to) => {
      const part = joined.subarray(from * width, to * width);
      const plane = (byte: number) => planes.subarray(byte * count + from, byte * count + to);
      if (width === 2) join2(new Uint16Array(joined.buffer, part.byteOffset, to - from), plane(0), plane(1));
      else if (width === 4) {
        join4(new Int32Array(joined.buffer, part.byteOffset, to - from), plane(0), plane(1), plane(2), plane(3));
      } else for (let byte = 0; byte < width; byte++) spread(part, width, byte, plane(byte));
    },
    width,
  );
  return joined;
}

function join2(elements: Uint16Array, low: Uint8Array, high: Uint8Array) {
  for (let i = 0; i < elements.length; i++) elements[i] = low[i] | (high[i] << 8);
}

function join4(elements: Int32Array, b0: Uint8Array, b1: Uint8Array, b2: Uint8Array, b3: Uint8Array) {
  for (let i = 0; i < elements.length; i++) elements[i] = b0[i] | (b1[i] << 8) | (b2[i] << 16) | (b3[i] << 24);
}

function spread(joined: Uint8Array, width: number, byte: number, plane: Uint8Array) {
  for (let i = 0, to = byte; i < plane.length; i++, to += width) joined[to] = plane[i];
}
