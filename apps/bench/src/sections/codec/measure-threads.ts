import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { benchFolder } from '../../bench-folder.js';
import { interleave, ratios } from '../../harness/interleave.js';
import { type Summary, summarize } from '../../harness/summary.js';
import type { Decoded, DecodeShare } from './decode-share.js';
import { shareRows } from './share-rows.js';

/** Threads that share every matrix's rows. */
const SHARES = 2;

/**
 * How many times less the busier of two threads computes than one alone, to decode all streams: each opens every stream and decodes half of its blocks, at
 * the same time. Each is shown to give the bits that those rows have when one thread decodes them. The threads' own time: by the clock two threads need two
 * idle cores.
 */
export async function measureThreads(streams: readonly Uint8Array[], rounds: number): Promise<Summary> {
  const start = (share: number, shares: number) => {
    const workerData: DecodeShare = { streams, share, shares };
    return new Worker(join(benchFolder, 'dist', 'decode-worker.js'), { workerData });
  };
  const alone = [start(0, 1)];
  const pair = Array.from({ length: SHARES }, (_, share) => start(share, SHARES));
  const wanted = [
    [hashOf(streams, 0, 1)],
    Array.from({ length: SHARES }, (_, share) => hashOf(streams, share, SHARES)),
  ];
  const side = (name: string, workers: readonly Worker[], hashes: readonly string[]) => ({
    name,
    async run() {
      const decoded = await Promise.all(workers.map(decode));
      if (decoded.some(({ hash }, i) => hash !== hashes[i])) throw new Error('threads do not decode what one does');
      return Math.max(...decoded.map(({ seconds }) => seconds));
    },
  });
  try {
    const sides = [side('one', alone, wanted[0]), side('two', pair, wanted[1])];
    const times = await interleave(sides, { rounds, warmup: 3 });
    return summarize(ratios(times.get('one')!, times.get('two')!));
  } finally {
    await Promise.all([...alone, ...pair].map((worker) => worker.terminate()));
  }
}

function decode(worker: Worker): Promise<Decoded> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(error);
    worker.once('error', failed).once('message', (decoded: Decoded) => {
      worker.off('error', failed);
      resolve(decoded);
    });
    worker.postMessage('decode');
  });
}

function hashOf(streams: readonly Uint8Array[], share: number, shares: number): string {
  const hash = createHash('sha256');
  for (const stream of streams) {
    const { indptr, indices, data } = shareRows(stream, share, shares);
    hash.update(indptr).update(indices).update(data);
  }
  return hash.digest('hex');
}
