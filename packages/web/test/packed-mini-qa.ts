import { openCheckpoint } from '@prune/checkpoint/node';
import { memorySink, writeStore } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { packCheckpoint } from '@prune/model-files';
import { codecList, createMsgpackStore } from '@prune/msgpack-store';
import { rowsCodec } from '@prune/sparse-codec';

/**
 * The repository's own model as a `.prune` file: by default with small embeddings and without compression, because
 * tests open it often. `rows`: the tables can be read by rows. `entropy` is what the command packs.
 */
export async function packedMiniQa(codec: 'raw' | 'rows' | 'entropy' = 'raw'): Promise<Uint8Array> {
  const checkpoint = await openCheckpoint(modelPath('mini-qa'));
  const { entries, metadata } = packCheckpoint(checkpoint, codec === 'entropy' ? {} : { embeddings: 'int4' });
  const sink = memorySink();
  const codecs = codec === 'rows' ? [rowsCodec(), ...codecList('raw')] : codecList(codec);
  await writeStore(await createMsgpackStore(sink, { codecs }), entries, metadata);
  await checkpoint.close();
  return sink.bytes();
}
