/**
 * The shortest decimal that reads back as the same float32 (at most 9 digits), as a JSON number. `-0` keeps its sign; what is not finite has
 * no JSON number and becomes `null`.
 */
export function float32Text(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (!Number.isFinite(value)) return 'null';
  // A normal float32 keeps any 6 digits, so fewer come out of dropped zeros; a subnormal may need fewer.
  for (let digits = Math.abs(value) < 2 ** -126 ? 1 : 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
  return String(Number(value.toPrecision(9)));
}

/** A float32 tensor as nested JSON lists, without white space. */
export function float32Json(data: ArrayLike<number>, shape: readonly number[]): string {
  let next = 0;
  const nested = (dimensions: readonly number[]): string => {
    if (dimensions.length === 0) return float32Text(data[next++]);
    const parts = Array.from({ length: dimensions[0] }, () => nested(dimensions.slice(1)));
    return `[${parts.join(',')}]`;
  };
  return nested(shape);
}
