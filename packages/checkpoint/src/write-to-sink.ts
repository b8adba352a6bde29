import { type ByteSink, checkArgument } from '@prune/core';

/** Checks the sink of the function `where`, lets `write` fill it, and commits it; aborts it when anything fails. */
export async function writeToSink(where: string, sink: ByteSink, write: () => Promise<void>): Promise<void> {
  const wanted = 'what atomicFile of @prune/core/node, or memorySink of @prune/core, gives';
  const fits = typeof sink?.write === 'function' && typeof sink.abort === 'function';
  checkArgument(fits, { where, what: 'sink', wanted }, sink);
  try {
    await write();
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
