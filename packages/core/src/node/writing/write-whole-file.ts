import { atomicFile } from './atomic-file.js';

/** Writes a small file as one step: the old one, if any, stays until the new one is whole. Throws `io` with the path. */
export async function writeWholeFile(path: string, bytes: Uint8Array): Promise<void> {
  const sink = await atomicFile(path);
  try {
    await sink.write(bytes);
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
