/**
 * HDF5's shuffle filter: byte 0 of every element, then byte 1 of every element, ... The length of `elements`, and its offset, are multiples of `width`.
 */
export function shuffle(elements: Uint8Array, width: number): Uint8Array {
  const planes = new Uint8Array(elements.byteLength);
  const count = elements.byteLength / width;
  // Whole elements where a processor has such numbers: 2 to 4 times as fast as byte by byte.
  if (width === 2) split2(new Uint16Array(elements.buffer, elements.byteOffset, count), planes);
  else if (width === 4) split4(new Int32Array(elements.buffer, elements.byteOffset, count), planes);
  else {
    for (let byte = 0, to = 0; byte < width; byte++) {
      for (let from = byte; from < elements.byteLength; from += width) planes[to++] = elements[from];
    }
  }
  return planes;
}

/** The inverse of {@link shuffle} for the first elements, as many as fill `elements`, whose offset is a multiple of `width`. */
export function unshuffle(shuffled: Uint8Array, width: number, elements: Uint8Array): void {
  const stride = shuffled.byteLength / width;
  const count = elements.byteLength / width;
  const plane = (byte: number) => shuffled.subarray(byte * stride, byte * stride + count);
  if (width === 2) join2(new Uint16Array(elements.buffer, elements.byteOffset, count), plane(0), plane(1));
  else if (width === 4) {
    join4(new Int32Array(elements.buffer, elements.byteOffset, count), plane(0), plane(1), plane(2), plane(3));
  } else {
    for (let byte = 0; byte < width; byte++) {
      const bytes = plane(byte);
      for (let i = 0, to = byte; i < count; i++, to += width) elements[to] = bytes[i];
    }
  }
}

function split2(elements: Uint16Array, planes: Uint8Array): void {
  const count = elements.length;
  for (let i = 0; i < count; i++) {
    planes[i] = elements[i];
    planes[i + count] = elements[i] >> 8;
  }
}

function split4(elements: Int32Array, planes: Uint8Array): void {
  const count = elements.length;
  for (let i = 0; i < count; i++) {
    const element = elements[i];
    planes[i] = element;
    planes[i + count] = element >> 8;
    planes[i + 2 * count] = element >> 16;
    planes[i + 3 * count] = element >> 24;
  }
}

function join2(elements: Uint16Array, low: Uint8Array, high: Uint8Array): void {
  for (let i = 0; i < elements.length; i++) elements[i] = low[i] | (high[i] << 8);
}

function join4(elements: Int32Array, b0: Uint8Array, b1: Uint8Array, b2: Uint8Array, b3: Uint8Array): void {
  for (let i = 0; i < elements.length; i++) elements[i] = b0[i] | (b1[i] << 8) | (b2[i] << 16) | (b3[i] << 24);
}
