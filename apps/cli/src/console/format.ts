/** `12.88 MB`: decimal units, as file managers and the notebook count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit++;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** `1,061,684` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `10.0 %` */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `1.2 s`, `34 ms` */
export function formatSeconds(seconds: number): string {
  return seconds < 0.95 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}

/** `384 x 1536`; `scalar` for no dimension. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : shape.join(' x ');
}
