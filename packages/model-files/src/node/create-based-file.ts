import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Codec, TensorStoreWriter } from '@prune/core';
import { refuseExisting, removeAtExit } from '@prune/core/node';
import { createMsgpackFile } from '@prune/msgpack-store/node';
import { baseName } from './base-name.js';
import { bundleFiles } from './bundle-files.js';
import { openFile, type RemoteOptions } from './remote-files.js';

/** What a container with a base is made of. */
export interface BasedFileOptions extends RemoteOptions {
  /** A path or a URL. */
  readonly base: string;
  readonly codecs: readonly Codec[];
  readonly force?: boolean;
}

/**
 * Starts a `.prune` file without the blocks that the file `base` has. A block is known to be there only when it has
 * been coded, so the whole container goes to a temporary file, and `finish` copies what the base does not have.
 */
export async function createBasedFile(
  path: string,
  { base, codecs, force, ...remote }: BasedFileOptions,
): Promise<TensorStoreWriter> {
  await refuseExisting(path, force);
  // What cannot be a base is said before the long work.
  baseName(path, base);
  await (await openFile(base, remote)).close();
  const folder = await mkdtemp(join(tmpdir(), 'prune-'));
  const released = removeAtExit(folder);
  const whole = join(folder, 'whole.prune');
  const remove = async () => {
    await rm(folder, { recursive: true, force: true });
    released();
  };
  const writer = await createMsgpackFile(whole, { codecs }).catch(async (error) => {
    await remove();
    throw error;
  });
  return {
    put: (name, value) => writer.put(name, value),
    async finish(metadata) {
      await writer.finish(metadata);
      await bundleFiles(path, [whole], { ...remote, bases: [base], force, unnamed: true });
      await remove();
    },
    async abort() {
      await writer.abort();
      await remove();
    },
  };
}
