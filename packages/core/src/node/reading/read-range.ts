/** The most that one read of the operating system may be asked for. */
const MOST_BYTES = 2 ** 30;

/** The part of Node's `FileHandle` that is used, so that our types do not ask for those of Node. */
interface ReadableHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** The bytes `[offset, offset + length)` of an open file, in `scratch` where there is one; fewer where the file ends before that. */
export async function readRange(
  handle: ReadableHandle,
  offset: number,
  length: number,
  scratch?: Uint8Array,
): Promise<Uint8Array> {
  const bytes = scratch ?? new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MOST_BYTES), offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
