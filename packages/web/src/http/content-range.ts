/** What the header Content-Range says: bytes `[start, end)` of `size`; both sizes are unknown where it has `*`. */
export interface ContentRange {
  /** `undefined`: no range could be given (status 416). */
  readonly range?: readonly [start: number, end: number];
  readonly size?: number;
}

/** Reads Content-Range; `undefined` where it is missing or not one that HTTP allows. */
export function contentRange(header: string | null): ContentRange | undefined {
  const found = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/i.exec(header?.trim() ?? '');
  if (found === null) return undefined;
  const [, first, last, total] = found;
  const size = total === undefined ? undefined : Number(total);
  if (first === undefined) return { size };
  const [start, end] = [Number(first), Number(last) + 1];
  if (start >= end || end > (size ?? end)) return undefined;
  return { range: [start, end], size };
}
