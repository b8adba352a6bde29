import type { Summary } from '../harness/summary.js';

/** `12.88 MB`: decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3) - 1);
  const value = bytes / 1000 ** (unit + 1);
  return `${value.toFixed(value < 100 ? 2 : 0)} ${units[unit]}`;
}

/** `1.23 s`, `34.5 ms`, `812 us` */
export function formatSeconds(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return seconds >= 1e-3 ? `${(1e3 * seconds).toFixed(seconds < 0.1 ? 1 : 0)} ms` : `${(1e6 * seconds).toFixed(0)} us`;
}

/** `1,061,684` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `10.0 %` */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `2.35 x` */
export function formatTimes(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}

/** The median with its quartiles, `1.23 s (1.20 to 1.31)`. */
export function formatSummary({ median, quartiles }: Summary, format: (value: number) => string): string {
  return `${format(median)} (${format(quartiles[0])} to ${format(quartiles[1])})`;
}
