import { openCheckpoint } from '@prune/checkpoint/node';
import { memorySink, writeStore } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { packCheckpoint } from '@prune/model-files';
import { codecList, createMsgpackStore } from '@prune/msgpack-store';

/**
 * The repository's own model as a `.prune` file: by default with small embeddings and without compression, because
 * tests open it often; `entropy` is what the command packs.
 */
export async function packedMiniQa(codec: 'raw' | 'entropy' = 'raw'): Promise<Uint8Array> {
  const checkpoint = await openCheckpoint(modelPath('mini-qa'));
  const { entries, metadata } = packCheckpoint(checkpoint, codec === 'raw' ? { embeddings: 'int4' } : {});
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: codecList(codec) }), entries, metadata);
  await checkpoint.close();
  return sink.bytes();
}
