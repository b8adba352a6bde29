import { openCheckpoint } from '@prune/checkpoint/node';
import { memorySink, writeStore } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { packCheckpoint } from '@prune/model-files';
import { codecList, createMsgpackStore } from '@prune/msgpack-store';

/**
 * The repository's own model as a `.prune` file; with small embeddings and without compression, because tests open it
 * often.
 */
export async function packedMiniQa(): Promise<Uint8Array> {
  const checkpoint = await openCheckpoint(modelPath('mini-qa'));
  const { entries, metadata } = packCheckpoint(checkpoint, { embeddings: 'int4' });
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: codecList('raw') }), entries, metadata);
  await checkpoint.close();
  return sink.bytes();
}
