/** HDF5's shuffle filter: byte 0 of every element, then byte 1 of every element, ... `bytes.length` is a multiple of `width`. */
export function shuffle(bytes: Uint8Array, width: number): Uint8Array {
  const count = bytes.byteLength / width;
  const planes = new Uint8Array(bytes.byteLength);
  for (let plane = 0, to = 0; plane < width; plane++) {
    for (let i = 0, from = plane; i < count; i++, from += width) planes[to++] = bytes[from];
  }
  return planes;
}
