/** Names with the numbers in them compared as numbers: `layer.2` before `layer.10`. Code units otherwise, so no locale matters. */
export function naturalOrder(a: string, b: string): number {
  const x = a.match(PARTS) ?? [];
  const y = b.match(PARTS) ?? [];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] === y[i]) continue;
    const numbers = isDigit(x[i]) && isDigit(y[i]);
    const order = numbers ? compareDigits(x[i], y[i]) : 0;
    if (order !== 0) return order;
    return x[i] < y[i] ? -1 : 1;
  }
  return x.length - y.length;
}

const PARTS = /\d+|\D/gsu;

function isDigit(part: string): boolean {
  return part >= '0' && part < ':';
}

/** Runs of digits of any length, by value. */
function compareDigits(a: string, b: string): number {
  const x = a.replace(/^0+/, '');
  const y = b.replace(/^0+/, '');
  if (x.length !== y.length) return x.length - y.length;
  return x < y ? -1 : x > y ? 1 : 0;
}
