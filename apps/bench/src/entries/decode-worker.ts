// A thread that decodes its share of the rows of every matrix: the streams and the share are its workerData, each message has it decode all once.
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { Decoded, DecodeShare } from '../sections/codec/decode-share.js';
import { shareRows } from '../sections/codec/share-rows.js';
import { threadSeconds } from '../sections/codec/thread-seconds.js';

const { streams, share, shares }: DecodeShare = workerData;
parentPort!.on('message', () => {
  const start = threadSeconds();
  const matrices = streams.map((stream) => shareRows(stream, share, shares));
  const seconds = threadSeconds() - start;
  const hash = createHash('sha256');
  for (const { indptr, indices, data } of matrices) hash.update(indptr).update(indices).update(data);
  parentPort!.postMessage({ hash: hash.digest('hex'), seconds } satisfies Decoded);
});
