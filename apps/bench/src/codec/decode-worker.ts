// A thread that decodes its share of the rows of every matrix: the streams and the share are its workerData, each message has it decode all once.
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { shareRows } from './share-rows.js';

/** What a worker is started with. */
export interface DecodeShare {
  readonly streams: readonly Uint8Array[];
  readonly share: number;
  readonly shares: number;
}

const { streams, share, shares }: DecodeShare = workerData;
parentPort!.on('message', (wantsHash: boolean) => {
  const matrices = streams.map((stream) => shareRows(stream, share, shares));
  const hash = createHash('sha256');
  if (wantsHash) for (const { indptr, indices, data } of matrices) hash.update(indptr).update(indices).update(data);
  parentPort!.postMessage(hash.digest('hex'));
});
