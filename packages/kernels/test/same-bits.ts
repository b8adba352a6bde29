/** The number of elements whose bits differ (-0 and 0 do, a NaN equals itself), and the first of them. */
export function differentBits(a: Float32Array, b: Float32Array): string {
  if (a.length !== b.length) return `lengths ${a.length} and ${b.length}`;
  const [x, y] = [a, b].map((array) => new Int32Array(array.buffer, array.byteOffset, array.length));
  let count = 0;
  let first = -1;
  for (let i = 0; i < x.length; i++) {
    if (x[i] === y[i]) continue;
    if (count++ === 0) first = i;
  }
  return count === 0 ? '' : `${count} of ${a.length}, the first at ${first}: ${a[first]} and ${b[first]}`;
}
