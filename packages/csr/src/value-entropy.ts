import { checkArgument } from '@prune/core';

/**
 * Bits that an ideal coder needs for `data` when each value is drawn by itself with the frequency that it has here (order-0 entropy times
 * the number of values): `-sum_v n_v * log2(n_v / n)`. What it costs to tell the frequencies is not in it.
 */
export function valueEntropy(data: Int8Array): number {
  checkArgument(data instanceof Int8Array, { where: 'csr', what: 'data of valueEntropy', wanted: 'Int8Array' }, data);
  const counts = new Float64Array(256);
  for (let i = 0; i < data.length; i++) counts[data[i] + 128]++;
  return symbolEntropy(counts);
}

/** Order-0 bits of a histogram. */
export function symbolEntropy(counts: Iterable<number>): number {
  let total = 0;
  let sum = 0;
  for (const count of counts) {
    if (count === 0) continue;
    total += count;
    sum += count * Math.log2(count);
  }
  return total === 0 ? 0 : total * Math.log2(total) - sum;
}
