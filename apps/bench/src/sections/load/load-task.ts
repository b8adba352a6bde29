import { entriesOf } from '@prune/core';
import { recomposeSparse } from '@prune/csr';
import { openStore } from '@prune/model-files/node';

/** What the `load` child prints. */
export interface LoadResult {
  /** From opening the file to every array checked and in memory. Starting Node is not counted, as Python's imports are not. */
  readonly seconds: number;
  /** Resident before the file was opened: Node and the packages. */
  readonly baseBytes: number;
  /** Bytes of all arrays. */
  readonly decodedBytes: number;
  readonly nonzeros: number;
}

/** Reads a whole store into CSR matrices and float tensors and keeps them all. */
export async function loadTask(path: string): Promise<LoadResult> {
  const baseBytes = process.memoryUsage.rss();
  const start = performance.now();
  const store = await openStore(path);
  const model = new Map(await collect(entriesOf(recomposeSparse(store))));
  await store.close();
  const seconds = (performance.now() - start) / 1000;

  let [decodedBytes, nonzeros] = [0, 0];
  for (const value of model.values()) {
    if (!('kind' in value)) decodedBytes += value.data.byteLength;
    else if (value.kind === 'linear') {
      const { data, indices, indptr } = value.weight;
      nonzeros += data.length;
      decodedBytes += data.byteLength + indices.byteLength + indptr.byteLength + (value.bias?.data.byteLength ?? 0);
    } else decodedBytes += value.intRepr.byteLength + value.scales.byteLength + value.zeroPoints.byteLength;
  }
  return { seconds, baseBytes, decodedBytes, nonzeros };
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
