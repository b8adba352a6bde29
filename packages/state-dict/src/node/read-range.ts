import type { FileHandle } from 'node:fs/promises';

/** The most that one read of the operating system may be asked for. */
const MOST_BYTES = 2 ** 30;

/** The bytes `[offset, offset + length)` of an open file; fewer where it ends before that. */
export async function readRange(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MOST_BYTES), offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
