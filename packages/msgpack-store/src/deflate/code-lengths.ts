/**
 * The lengths of a Huffman code for `counts`, none longer than `longest` bits; 0 for a symbol that does not occur.
 * One symbol alone gets length 1. Integers only, so the same on every machine.
 * In-place algorithm: A. Moffat, J. Katajainen, "In-place calculation of minimum-redundancy codes" (1995).
 */
export function codeLengths(counts: Int32Array, longest: number): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  // The key orders by count, then by symbol; a count below 2^23 and a symbol below 2^9 fit 32 bits.
  const keys = new Uint32Array(counts.length);
  let used = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    if (counts[symbol] > 0) keys[used++] = (counts[symbol] << 9) | symbol;
  }
  const sorted = keys.subarray(0, used).sort();
  if (used < 2) {
    if (used === 1) lengths[sorted[0] & 511] = 1;
    return lengths;
  }
  const perLength = limitLengths(minimumRedundancy(sorted), longest);
  for (let length = longest, i = 0; length > 0; length--) {
    for (let n = perLength[length]; n > 0; n--) lengths[sorted[i++] & 511] = length;
  }
  return lengths;
}

/** How many codes there are of each length. */
function minimumRedundancy(sorted: Uint32Array): Int32Array {
  const n = sorted.length;
  const a = new Int32Array(n);
  for (let i = 0; i < n; i++) a[i] = sorted[i] >>> 9;
  a[0] += a[1];
  for (let next = 1, root = 0, leaf = 2; next < n - 1; next++) {
    if (leaf >= n || a[root] < a[leaf]) {
      a[next] = a[root];
      a[root++] = next;
    } else a[next] = a[leaf++];
    if (leaf >= n || (root < next && a[root] < a[leaf])) {
      a[next] += a[root];
      a[root++] = next;
    } else a[next] += a[leaf++];
  }
  a[n - 2] = 0;
  for (let next = n - 3; next >= 0; next--) a[next] = a[a[next]] + 1;

  const perLength = new Int32Array(64);
  for (let available = 1, depth = 0, root = n - 2; available > 0; depth++) {
    let inner = 0;
    for (; root >= 0 && a[root] === depth; root--) inner++;
    perLength[depth] = available - inner;
    available = 2 * inner;
  }
  return perLength;
}

/** Moves codes that are too long up, and pays for them by lengthening the cheapest others (Kraft's sum stays 1). */
function limitLengths(perLength: Int32Array, longest: number): Int32Array {
  let sum = 0;
  for (let length = perLength.length - 1; length > longest; length--) {
    perLength[longest] += perLength[length];
    perLength[length] = 0;
  }
  for (let length = 1; length <= longest; length++) sum += perLength[length] << (longest - length);
  for (; sum > 1 << longest; sum--) {
    perLength[longest]--;
    let length = longest - 1;
    while (perLength[length] === 0) length--;
    perLength[length]--;
    perLength[length + 1] += 2;
  }
  return perLength;
}
