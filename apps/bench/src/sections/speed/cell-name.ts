/** A size of work as the report calls it: `8 x 128 tokens, 1 thread`. */
export function cellName({ batch, tokens, threads }: { batch: number; tokens: number; threads: number }): string {
  return `${batch} x ${tokens} tokens, ${threads === 1 ? '1 thread' : `${threads} threads`}`;
}
