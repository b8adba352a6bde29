import type { ByteSink } from '@prune/core';
import { atomicFile } from '@prune/core/node';

/** Text files that are written once long work is done. */
export interface TextOutputs {
  /** A text for each path. */
  write(texts: readonly string[]): Promise<void>;
  /** Leaves what was not written as it was. */
  abort(): Promise<void>;
}

/** Opens text files now, so that a path that cannot be written is said before the work, not after it; `undefined` is no file. */
export async function textOutputs(paths: readonly (string | undefined)[]): Promise<TextOutputs> {
  const sinks: (ByteSink | undefined)[] = [];
  const abort = async () => {
    for (const sink of sinks) await sink?.abort();
  };
  try {
    for (const path of paths) sinks.push(path === undefined ? undefined : await atomicFile(path));
  } catch (error) {
    await abort();
    throw error;
  }
  return {
    async write(texts) {
      for (const [i, sink] of sinks.entries()) {
        await sink?.write(new TextEncoder().encode(texts[i]));
        await sink?.commit();
      }
    },
    abort,
  };
}
