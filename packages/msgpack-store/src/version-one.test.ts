import { readFileSync } from 'node:fs';
import { type Elementary, firstDifference, tensor } from '@prune/core';
import { goldenPath, readNpz, versionOnePath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { MSGPACK_CODEC_NAMES } from './codecs/codec-list.js';
import { openMsgpackStore } from './open-msgpack-store.js';

/** What the files hold; the README beside them says so, too. */
function held(): Map<string, Elementary> {
  const part = 'table._packed_params._packed_weight';
  const rows = Array.from({ length: 70 }, (_, i) => i);
  const wanted = /layer\.0\.attention|position_embeddings|^qa_outputs/;
  return new Map<string, Elementary>([
    ...[...readNpz(goldenPath('tiny/elementary.npz'))].filter(([name]) => wanted.test(name)),
    [
      `${part}.scale`,
      tensor(
        'float32',
        [70],
        Float32Array.from(rows, (i) => (1 + i) / 64),
      ),
    ],
    [
      `${part}.zero_point`,
      tensor(
        'float32',
        [70],
        Float32Array.from(rows, (i) => 100 + i),
      ),
    ],
    [
      `${part}.int_repr`,
      tensor(
        'uint8',
        [70, 12],
        Uint8Array.from({ length: 840 }, (_, i) => (7 * i) % 61),
      ),
    ],
  ]);
}

test.each(MSGPACK_CODEC_NAMES)('a file of version 1 is read, codec %s', async (codec) => {
  const store = await openMsgpackStore(readFileSync(versionOnePath(codec)));
  const entries = held();
  expect([...store.keys()]).toEqual([...entries.keys()]);
  expect(await firstDifference(entries, store)).toBeUndefined();
  const { files, ...metadata } = store.metadata;
  expect(metadata).toEqual({
    config: { model_type: 'bert', layers: [1, 2.5, null, true] },
    modules: { '': { version: 1 } },
    profile: 'qnnpack',
    sentence: { 'modules.json': [{ idx: 0 }] },
  });
  expect(new TextDecoder().decode(await files?.get('vocab.txt'))).toBe('[PAD]\n[UNK]\nword\n');
  expect(store).toMatchObject({ integrity: undefined, models: [] });
  expect(await store.selectRows?.(['table._packed_params._packed_weight.int_repr'], [1])).toBeUndefined();
});

test('a file of version 1 has no integrity that could be asked for', async () => {
  const options = { name: 'old.prune', integrity: `sha256-${'A'.repeat(43)}=` };
  await expect(openMsgpackStore(readFileSync(versionOnePath('raw')), options)).rejects.toMatchObject({
    code: 'unsupported',
    where: 'old.prune',
  });
  await expect(openMsgpackStore(readFileSync(versionOnePath('raw')), { integrity: 'sha1-x' })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
});
