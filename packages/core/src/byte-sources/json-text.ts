// How a NaN or an infinity stands in JSON text while it is on its way through JSON.stringify. No config has such
// strings.
const MARK = '\u0000number ';

/**
 * Returns a value as JSON. NaN and the infinities are written as Python writes them, which is not JSON: null in their
 * place would be another value. `parseJson` reads them.
 */
export function jsonText(value: unknown, indent?: number): string {
  const marked = (_: string, one: unknown) =>
    typeof one === 'number' && !Number.isFinite(one) ? `${MARK}${one}` : one;
  return JSON.stringify(value, marked, indent).replace(/"\\u0000number (NaN|-?Infinity)"/g, '$1');
}
