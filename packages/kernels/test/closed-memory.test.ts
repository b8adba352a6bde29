import { fileURLToPath } from 'node:url';
import { runInChild } from '@prune/fixtures';
import { expect, test } from 'vitest';

/** `.ci/full` asks for more. */
const ROUNDS = Number(process.env.PRUNE_CLOSE_ROUNDS ?? 25);

function inChild(name: 'closesOften' | 'withoutAddresses', argument?: object) {
  const work = fileURLToPath(new URL('./closed-memory.ts', import.meta.url));
  const source = `export { ${name} as default } from ${JSON.stringify(work)};`;
  return runInChild(source, { argument, nodeOptions: ['--expose-gc'], timeoutSeconds: 120 });
}

// A V8 memory takes 10 GiB of addresses: a single one that stays is seen.
test.each([
  [1, 200],
  [2, ROUNDS],
])(
  'x %d: after %d closed encoders, resident memory has grown by less than 16 MB, addresses by less than 1 GB',
  async (threads, rounds) => {
    const { value } = await inChild('closesOften', { threads, rounds });
    expect(value).toEqual({ kept: 2 * rounds, resident: expect.any(Number), addresses: expect.any(Number) });
    const { resident, addresses } = value as { resident: number; addresses: number };
    expect(resident).toBeLessThan(16e6);
    expect(addresses).toBeLessThan(1e9);
  },
);

test('without addresses for another memory everything says limit, what is loaded goes on, and later more can be loaded', async () => {
  const { value } = await inChild('withoutAddresses');
  expect(value).toEqual({
    memories: true,
    codes: ['limit', 'limit', 'limit', 'limit'],
    works: [true, true, true],
  });
});
