import { type ByteSource, locateError, randomAccess } from '@prune/core';
import { type ContainerOptions, readEnd } from './container/open-container.js';

/** Options of {@link readIntegrity}. */
export type ReadIntegrityOptions = Pick<ContainerOptions, 'limits' | 'crc32' | 'createSha256'>;

/**
 * The `integrity` of a `.prune` container, from its prologue and the bytes of its manifest: two reads, and nothing is
 * decoded. `undefined` for a file of version 1. The source stays open.
 * Throws `unsupported`, `truncated`, `corrupt`, `limit` with the source's name.
 */
export async function readIntegrity(
  source: ByteSource,
  options: ReadIntegrityOptions = {},
): Promise<string | undefined> {
  const bytes = randomAccess(source);
  try {
    const { prologue, integrity } = await readEnd(bytes, options);
    return prologue.version === 1 ? undefined : integrity;
  } catch (error) {
    throw locateError(error, { where: bytes.name });
  }
}
