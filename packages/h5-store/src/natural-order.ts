/** Names with the numbers in them compared as numbers: `layer.2` before `layer.10`. Code units otherwise, so no locale matters. */
export function naturalOrder(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  // The number, if any, in which they differ begins before that.
  let start = at;
  while (start > 0 && isDigit(a, start - 1)) start--;
  const [x, y] = [digitsFrom(a, start), digitsFrom(b, start)];
  const order = x === '' || y === '' ? 0 : compareDigits(x, y);
  if (order !== 0) return order;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function digitsFrom(text: string, start: number): string {
  let end = start;
  while (isDigit(text, end)) end++;
  return text.slice(start, end);
}

/** Runs of digits of any length, by value. */
function compareDigits(a: string, b: string): number {
  const x = a.replace(/^0+/, '');
  const y = b.replace(/^0+/, '');
  if (x.length !== y.length) return x.length - y.length;
  return x < y ? -1 : x > y ? 1 : 0;
}
