import { goldenPath, readNpz } from '@prune/fixtures';
import { type Elementary, firstDifference } from '@prune/state-dict';
import { expect, test } from 'vitest';
import { decompose } from './decompose.js';
import { recompose, recomposeSparse } from './recompose.js';

/** PyTorch prints the dtype as "torch.qint8"; the notebook's files, and so the elementary form here, say "qint8". */
const asStored = (value: Elementary) => (typeof value === 'string' ? value.replace('torch.', '') : value);

async function collect(entries: AsyncIterable<[string, Elementary]>): Promise<Map<string, Elementary>> {
  const map = new Map<string, Elementary>();
  for await (const [name, value] of entries) map.set(name, value);
  return map;
}

for (const model of ['tiny', 'narrow']) {
  const golden = readNpz(goldenPath(`${model}/elementary.npz`));
  const stored = new Map([...golden].map(([name, value]) => [name, asStored(value)]));

  test(`${model}: decompose(recompose(e)) is e, in its order, dense or sparse`, async () => {
    for (const recomposed of [recompose(golden), recomposeSparse(golden)]) {
      const back = await collect(decompose(recomposed));
      expect([...back.keys()]).toEqual([...golden.keys()]);
      expect(await firstDifference(back, stored)).toBeUndefined();
    }
  });
}
