/** Small writes are gathered up to this: asking the system for each costs more than compressing most tensors. */
const GATHERED_BYTES = 1 << 18;

/** Writes that are handed on in large pieces. */
export interface GatheredWrites {
  /** The caller's memory is its own again when the promise is settled. */
  write(bytes: Uint8Array): Promise<void>;
  flush(): Promise<void>;
}

/** Gathers small writes for `writeNow`, which is told where each piece begins. */
export function gatheredWrites(writeNow: (position: number, bytes: Uint8Array) => Promise<void>): GatheredWrites {
  const gathered = new Uint8Array(GATHERED_BYTES);
  let gatheredBytes = 0;
  let length = 0;
  async function flush() {
    const bytes = gathered.subarray(0, gatheredBytes);
    gatheredBytes = 0;
    if (bytes.byteLength > 0) await writeNow(length - bytes.byteLength, bytes);
  }
  return {
    async write(bytes) {
      if (gatheredBytes + bytes.byteLength > GATHERED_BYTES) await flush();
      if (bytes.byteLength > GATHERED_BYTES) await writeNow(length, bytes);
      else {
        gathered.set(bytes, gatheredBytes);
        gatheredBytes += bytes.byteLength;
      }
      length += bytes.byteLength;
    },
    flush,
  };
}
