/** HDF5's shuffle filter: byte 0 of every element, then byte 1 of every element, ... `bytes.length` is a multiple of `width`. */
export function shuffle(bytes: Uint8Array, width: number): Uint8Array {
  const count = bytes.byteLength / width;
  const planes = new Uint8Array(bytes.byteLength);
  for (let plane = 0, to = 0; plane < width; plane++) {
    for (let i = 0, from = plane; i < count; i++, from += width) planes[to++] = bytes[from];
  }
  return planes;
}

/** The inverse of {@link shuffle} for the first elements, as many as fill `elements`, whose offset is a multiple of `width`. */
export function unshuffle(planes: Uint8Array, width: number, elements: Uint8Array): void {
  const stride = planes.byteLength / width;
  const count = elements.byteLength / width;
  // Elements at a time where a processor has such numbers: 2 to 4 times as fast as byte by byte.
  if (width === 2) {
    const joined = new Uint16Array(elements.buffer, elements.byteOffset, count);
    for (let i = 0; i < count; i++) joined[i] = planes[i] | (planes[i + stride] << 8);
  } else if (width === 4) {
    const joined = new Int32Array(elements.buffer, elements.byteOffset, count);
    const [b1, b2, b3] = [stride, 2 * stride, 3 * stride];
    for (let i = 0; i < count; i++) {
      joined[i] = planes[i] | (planes[i + b1] << 8) | (planes[i + b2] << 16) | (planes[i + b3] << 24);
    }
  } else {
    for (let plane = 0; plane < width; plane++) {
      for (let i = 0, from = plane * stride, to = plane; i < count; i++, to += width) elements[to] = planes[from++];
    }
  }
}
