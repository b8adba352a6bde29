import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { benchFolder } from '../bench-folder.js';
import { interleave, ratios } from '../harness/interleave.js';
import { type Summary, summarize } from '../harness/summary.js';
import type { DecodeShare } from './decode-worker.js';
import { shareRows } from './share-rows.js';

/** Threads that share every matrix's rows. */
const SHARES = 2;

/**
 * How many times faster two threads decode all streams than one, by the clock: each opens every stream and decodes half of its blocks. First each is shown
 * to give the bits that those rows have when one thread decodes them. On a machine with less than two idle cores it says little.
 */
export async function measureThreads(streams: readonly Uint8Array[], rounds: number): Promise<Summary> {
  const start = (share: number, shares: number) => {
    const workerData: DecodeShare = { streams, share, shares };
    return new Worker(join(benchFolder, 'dist', 'codec', 'decode-worker.js'), { workerData });
  };
  const alone = [start(0, 1)];
  const pair = Array.from({ length: SHARES }, (_, share) => start(share, SHARES));
  try {
    const hashes = await decode(pair, true);
    hashes.forEach((hash, share) => {
      if (hash !== hashOf(streams, share)) throw new Error('two threads do not decode what one does');
    });
    const run = (workers: readonly Worker[]) => async () => {
      const before = performance.now();
      await decode(workers, false);
      return performance.now() - before;
    };
    const times = await interleave(
      [
        { name: 'one', run: run(alone) },
        { name: 'two', run: run(pair) },
      ],
      { rounds, warmup: 3 },
    );
    return summarize(ratios(times.get('one')!, times.get('two')!));
  } finally {
    await Promise.all([...alone, ...pair].map((worker) => worker.terminate()));
  }
}

function decode(workers: readonly Worker[], wantsHash: boolean): Promise<string[]> {
  return Promise.all(
    workers.map(
      (worker) =>
        new Promise<string>((resolve, reject) => {
          const failed = (error: Error) => reject(error);
          worker.once('error', failed).once('message', (hash: string) => {
            worker.off('error', failed);
            resolve(hash);
          });
          worker.postMessage(wantsHash);
        }),
    ),
  );
}

function hashOf(streams: readonly Uint8Array[], share: number): string {
  const hash = createHash('sha256');
  for (const stream of streams) {
    const { indptr, indices, data } = shareRows(stream, share, SHARES);
    hash.update(indptr).update(indices).update(data);
  }
  return hash.digest('hex');
}
