import { isPruneError, memorySink, type Tensor, tensor, writeStore } from '@prune/core';
import { type Fault, type FileServer, startFileServer } from '@prune/fixtures';
import { codecList, createMsgpackStore, readIntegrity } from '@prune/msgpack-store';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MemoryCache, memoryCache } from '../test/memory-cache.js';
import { numberedBytes } from '../test/numbered-bytes.js';
import { cachedSource } from './cached-source.js';
import { httpSource } from './http-source.js';

let server: FileServer;
beforeAll(async () => {
  server = await startFileServer([]);
});
afterAll(() => server.close());

test('random reads of servers that fail at random: the right bytes or a typed error', async () => {
  const fault = fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    fc.record({ cut: fc.nat(30_000) }),
    fc.record({ atMost: fc.integer({ min: 1, max: 5000 }) }),
    fc.record({ longer: fc.integer({ min: -50, max: 50 }), chunked: fc.boolean() }),
    fc.record({ shift: fc.integer({ min: 1, max: 50 }) }),
    fc.constantFrom<Fault>({ status: 503 }, { status: 404 }, { status: 416 }, { html: '<html>' }, { stall: 20 }),
  );
  const bytes = numberedBytes(20_011);
  const reads = fc.array(fc.array(fc.tuple(fc.nat(bytes.length), fc.nat(4000)), { minLength: 1, maxLength: 6 }), {
    maxLength: 4,
  });
  const file = fc.record({ ranges: fc.boolean(), gzip: fc.boolean(), etag: fc.constantFrom(undefined, '"1"') });
  const options = fc.record({
    gapBytes: fc.nat(300),
    parallel: fc.integer({ min: 1, max: 4 }),
    keepBytes: fc.nat(9000),
  });
  let right = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 12 }), reads, file, options, async (list, reads, file, options) => {
      server.log.length = 0;
      server.files.set('/model.prune', { ...file, bytes });
      server.fault = ({ range }, number) => {
        const fault = list[number] as Fault | undefined;
        // Nothing shows that all of a file is longer or shorter than it was, where that is all that is known of it.
        const isHidden = fault !== undefined && 'longer' in fault && (range === undefined || !file.ranges);
        return isHidden ? undefined : fault;
      };
      const typed = (error: unknown) => {
        expect(isPruneError(error), String(error)).toBe(true);
        expect((error as Error).message).toContain(server.origin);
      };
      const source = await httpSource(`${server.origin}/model.prune`, {
        ...options,
        timeout: 250,
        retries: 1,
        firstBytes: 1000,
      }).catch(typed);
      if (source === undefined) return;
      expect(source.size === bytes.length || source.name.includes('html')).toBe(true);
      if (source.size !== bytes.length) return;
      await Promise.all(
        reads.map(async (places) => {
          const ranges = places.map(([at, length]) => [at, Math.min(at + length, bytes.length)] as const);
          const parts = await source.readRanges(ranges).catch(typed);
          if (parts === undefined) return;
          right++;
          for (const [i, [start, end]] of ranges.entries()) {
            expect(Buffer.from(parts[i]).equals(bytes.subarray(start, end))).toBe(true);
          }
        }),
      );
      await source.close();
    }),
    { numRuns: 15 * Number(process.env.PRUNE_FUZZ ?? 1) },
  );
  expect(right).toBeGreaterThan(0);
});

test('random visits over a cache that is damaged and full at random: the right bytes or a typed error', async () => {
  const url = `${server.origin}/model.prune`;
  const files = await Promise.all([1, 2].map(smallContainer));
  const damage = fc.record({
    kind: fc.constantFrom('none', 'flip', 'cut', 'swap', 'delete'),
    at: fc.nat(20_000),
    which: fc.nat(20),
  });
  const visit = fc.record({
    file: fc.nat(1),
    etag: fc.constantFrom(undefined, '"1"', '"2"'),
    ranges: fc.boolean(),
    integrity: fc.boolean(),
    early: fc.boolean(),
    quota: fc.constantFrom(Number.POSITIVE_INFINITY, 0, 3000, 30_000),
    fault: fc.constantFrom<Fault | undefined>(undefined, undefined, { cut: 20 }, { status: 503 }, { html: '<html>' }),
    damage,
    reads: fc.array(fc.tuple(fc.nat(20_000), fc.nat(4000)), { minLength: 1, maxLength: 5 }),
  });
  let fromCache = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(visit, { minLength: 2, maxLength: 6 }), async (visits) => {
      const cache = memoryCache();
      for (const { file, etag, ranges, integrity, early, quota, fault, damage, reads } of visits) {
        damageEntry(cache, damage);
        cache.quota = quota;
        server.files.set('/model.prune', { bytes: files[file].bytes, etag, ranges });
        server.fault = (_, number) => (number % 3 === 1 ? fault : undefined);
        server.log.length = 0;
        const typed = (error: unknown) => {
          expect(isPruneError(error), String(error)).toBe(true);
          return undefined;
        };
        const options = {
          cache,
          early,
          timeout: 400,
          retries: 1,
          integrity: integrity ? files[0].integrity : undefined,
        };
        const source = await cachedSource(url, options).catch(typed);
        if (source === undefined) continue;
        // With integrity, and before the server has answered, it can be a file that was there before.
        const all = files.filter(({ bytes }) => bytes.length === source.size).map(({ bytes }) => bytes);
        if (all.length > 0) {
          const places = reads.map(
            ([at, length]) => [Math.min(at, source.size), Math.min(at + length, source.size)] as const,
          );
          const parts = await source.readRanges(places).catch(typed);
          if (parts !== undefined) {
            const same = (bytes: Uint8Array) =>
              places.every(([start, end], i) => Buffer.from(parts[i]).equals(bytes.subarray(start, end)));
            expect(all.filter(same).length).toBeGreaterThan(0);
            if ('confirmed' in source) {
              if (source.hasUsedCache) fromCache++;
              // Of one file, and of the one that is asked for.
              if (integrity) expect(same(files[0].bytes)).toBe(true);
            }
          }
        }
        await source.close();
      }
    }),
    { numRuns: 15 * Number(process.env.PRUNE_FUZZ ?? 1) },
  );
  expect(fromCache).toBeGreaterThan(0);
});

/** A `.prune` file of about 20 kB. */
async function smallContainer(seed: number): Promise<{ bytes: Uint8Array; integrity: string }> {
  const sink = memorySink();
  const entries = Array.from({ length: 4 }, (_, i): [string, Tensor] => {
    const data = numberedBytes(5000, 10 * seed + i);
    return [`t${i}`, tensor('uint8', [data.length], data)];
  });
  await writeStore(await createMsgpackStore(sink, { codecs: codecList('raw') }), entries, {});
  const bytes = sink.bytes().slice();
  return { bytes, integrity: (await readIntegrity(bytes))! };
}

function damageEntry({ entries }: MemoryCache, { kind, at, which }: { kind: string; at: number; which: number }) {
  const keys = [...entries.keys()];
  if (keys.length === 0 || kind === 'none') return;
  const [key, other] = [keys[which % keys.length], keys[(which + 1) % keys.length]];
  const [bytes, others] = [entries.get(key)!, entries.get(other)!];
  if (kind === 'delete') entries.delete(key);
  else if (kind === 'cut') entries.set(key, bytes.subarray(0, at % bytes.length));
  else if (kind === 'flip')
    entries.set(
      key,
      bytes.map((byte, i) => (i === at % bytes.length ? byte ^ 4 : byte)),
    );
  else {
    entries.set(key, others);
    entries.set(other, bytes);
  }
}
