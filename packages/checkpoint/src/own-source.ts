import { type ByteSource, locateError, type RandomAccess, randomAccess } from '@prune/core';

/** Opens over `source` and closes it when the opening fails; what fails names the source. */
export async function ownSource<T>(
  source: ByteSource,
  name: string | undefined,
  open: (bytes: Required<RandomAccess>) => Promise<T>,
): Promise<T> {
  const bytes = randomAccess(source, name);
  try {
    return await open(bytes);
  } catch (error) {
    await bytes.close().catch(() => {});
    throw locateError(error, { where: bytes.name });
  }
}
