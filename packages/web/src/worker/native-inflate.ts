/**
 * Raw DEFLATE by the browser's own decoder, which is compiled already, where a worker that has just started interprets
 * JavaScript. Gives `undefined` where there is no such decoder: then the store uses its default.
 */
export function nativeInflate(): ((bytes: Uint8Array, length: number) => Promise<Uint8Array>) | undefined {
  try {
    // Engines that do not know this format throw here.
    new DecompressionStream('deflate-raw');
  } catch {
    return undefined;
  }
  return inflate;
}

/** Rejects with what the decoder says, and when there are more than `length` bytes. */
async function inflate(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const deflated = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = deflated.pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const out = new Uint8Array(length);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return out.subarray(0, at);
    if (at + value.length > length) {
      reader.cancel().catch(() => {});
      throw new Error(`more than ${length} bytes`);
    }
    out.set(value, at);
    at += value.length;
  }
}
