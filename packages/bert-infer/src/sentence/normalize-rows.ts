/** Scales each row of float32 `[rows, width]` to length 1, in place. A row of zeros stays. */
export function normalizeRows(data: Float32Array, width: number): void {
  for (let first = 0; first < data.length; first += width) {
    let squares = 0;
    for (let i = first; i < first + width; i++) squares += data[i] * data[i];
    const length = Math.sqrt(squares);
    if (length === 0) continue;
    for (let i = first; i < first + width; i++) data[i] /= length;
  }
}
