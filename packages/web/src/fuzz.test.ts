import { isPruneError } from '@prune/core';
import { type Fault, type FileServer, startFileServer } from '@prune/fixtures';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { numberedBytes } from '../test/numbered-bytes.js';
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
