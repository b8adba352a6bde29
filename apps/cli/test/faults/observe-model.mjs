import { createHash } from 'node:crypto';
import { isPruneError } from '@prune/core';
import { openModel } from '@prune/model-files/node';

/**
 * What a reader sees at `path`: the digest of every entry and of the metadata, the tokenizer's files included, or the
 * code of the PruneError. What else is thrown is a fault of its own and is thrown on.
 */
export async function observeModel(path) {
  try {
    const model = await openModel(path);
    try {
      return await digestOf(model);
    } finally {
      await model.close();
    }
  } catch (error) {
    if (!isPruneError(error)) throw error;
    return { error: error.code };
  }
}

async function digestOf({ store, floats, metadata }) {
  const hash = createHash('sha256');
  const say = (value) => hash.update(`${JSON.stringify(value)}\n`);
  const { config, modules, profile, files } = metadata;
  say([config, modules, profile]);
  for (const name of [...(files?.keys() ?? [])].sort()) {
    say(name);
    hash.update(await files.get(name));
  }
  const entries = store ?? (await floats());
  for (const name of [...entries.keys()].sort()) {
    const value = await entries.get(name);
    if (!ArrayBuffer.isView(value?.data)) {
      say([name, value]);
      continue;
    }
    say([name, value.dtype, value.shape]);
    hash.update(new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength));
  }
  return { digest: hash.digest('hex') };
}
