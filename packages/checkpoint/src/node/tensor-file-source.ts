import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { checkLimit, type Limits, locateError, PruneError, type RandomAccess, randomAccess } from '@prune/state-dict';
import { fileSource } from '@prune/state-dict/node';
import { declaredSafetensorsBytes } from '../open-safetensors.js';
import { sniffFormat } from '../sniff-format.js';

/** What a gzipped checkpoint may unpack to when its own header does not say: BERT-large has 1.3 GB. */
const LARGEST_UNPACKED = 16 * 2 ** 30;

/** A file of tensors by ranges; a gzipped one is unpacked first, into a temporary file that is gone when it is closed. */
export async function tensorFileSource(path: string, limits: Limits): Promise<Required<RandomAccess>> {
  const file = await fileSource(path);
  const bytes = randomAccess(file, path);
  try {
    if ((await sniffFormat(bytes)) !== 'gzip') return bytes;
  } catch (error) {
    await bytes.close();
    throw error;
  }
  await bytes.close();
  return unpacked(path, limits);
}

async function unpacked(path: string, limits: Limits): Promise<Required<RandomAccess>> {
  const temporary = join(tmpdir(), `prune-${randomBytes(8).toString('hex')}`);
  const handle = await open(temporary, 'wx+', 0o600);
  // Unlinked at once where the system allows it: whatever happens, nothing stays behind.
  const unlinked = await rm(temporary).then(
    () => true,
    () => false,
  );
  const close = async () => {
    await handle.close();
    if (!unlinked) await rm(temporary, { force: true });
  };
  let size = 0;
  const read = async (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
  // Kept apart from what pipeline() throws: Node 20 replaces a sink's own error by an AbortError.
  let failure: unknown;
  const write = async (chunks: AsyncIterable<Buffer>) => {
    let declared: number | undefined;
    try {
      for await (const chunk of chunks) {
        await handle.write(chunk, 0, chunk.length, size);
        size += chunk.length;
        declared ??= await declaredBytes({ name: path, size, read }, limits);
        checkLimit('unpacks to too much (bytes)', size, Math.min(declared ?? LARGEST_UNPACKED, LARGEST_UNPACKED));
      }
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    await pipeline(createReadStream(path), createGunzip({ chunkSize: 1 << 18 }), write);
  } catch (cause) {
    await close();
    if (isZlibError(cause)) {
      throw new PruneError('corrupt', { where: path, what: `bad gzip data: ${cause.message}`, cause });
    }
    throw locateError(failure ?? cause, { where: path });
  }
  return randomAccess({ name: path, size, read, close });
}

async function declaredBytes(head: Required<Pick<RandomAccess, 'name'>> & RandomAccess, limits: Limits) {
  const format = await sniffFormat(head);
  return format === 'safetensors' ? declaredSafetensorsBytes(head, limits) : undefined;
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('Z_');
}
