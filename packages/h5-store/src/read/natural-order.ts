/**
 * Names in the order in which the numbers in them are compared as numbers: `layer.2` before `layer.10`. Code units otherwise, so no locale matters; of
 * equal numbers the one with more zeros in front first.
 *
 * By keys that sort as strings do: comparing part by part took a quarter of the time of opening a BERT-base file.
 */
export function naturalOrder(names: Iterable<string>): string[] {
  const byKey = new Map<string, string>();
  for (const name of names) byKey.set(name.replace(/\d+/g, numberKey), name);
  return [...byKey.keys()].sort().map((key) => byKey.get(key)!);
}

/** A digit, so that it stands where a number stands among other characters; how many digits follow; these; and the zeros that were in front. */
function numberKey(digits: string): string {
  const value = digits.replace(/^0+/, '');
  const zeros = digits.length - value.length;
  return `0${String.fromCharCode(value.length)}${value}${String.fromCharCode(value === '' ? zeros : 0xffff - zeros)}`;
}
