import { hostilePath, runInChild } from '@prune/fixtures';
import { expect, test } from 'vitest';

/** Opens a container with this codec and reads everything that it holds, as arrays or row by row. */
const READ = `
import { entriesOf } from '@prune/core';
import { openMsgpackFile } from '@prune/msgpack-store/node';
export default async ({ path, byRows }: { path: string; byRows: boolean }) => {
  const store = await openMsgpackFile(path);
  let values = 0;
  if (byRows) {
    const rows = await store.rows!([...store.keys()].find((name) => name.endsWith('.data'))!.slice(0, -5));
    rows!.forEachRow(() => values++);
  } else {
    for await (const _ of entriesOf(store)) values++;
  }
  return values;
};`;

test.each([true, false])(
  '500,000,000 rows in 525 bytes: corrupt, within 5 s and 64 MB (row by row: %s)',
  async (byRows) => {
    const path = hostilePath('prune-entropy-rows-500000000.prune');
    const outcome = await runInChild(READ, { argument: { path, byRows } });
    expect(outcome).toMatchObject({ error: { name: 'PruneError', code: 'corrupt' } });
    expect(outcome.seconds).toBeLessThan(5);
    expect(outcome.peakBytes).toBeLessThan(64_000_000);
  },
);

test('4,000 rows in 519 bytes: read, within 5 s and 64 MB', async () => {
  const path = hostilePath('prune-entropy-rows-4000.prune');
  const outcome = await runInChild(READ, { argument: { path, byRows: true } });
  expect(outcome.value).toBe(4000);
  expect(outcome.seconds).toBeLessThan(5);
  expect(outcome.peakBytes).toBeLessThan(64_000_000);
});
