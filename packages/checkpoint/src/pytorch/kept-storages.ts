import { checkLimit, DTYPES, elementCount, type Limits } from '@prune/core';
import type { TensorReference } from './torch-pickle.js';
import type { ZipEntry } from './zip-directory.js';

/** Bytes of inflated storages that stay in memory, so that each is inflated once for all its tensors. */
const KEPT_BYTES = 1 << 25;
/** Most bytes to inflate for one byte of a tensor, on average. torch.save needs about one. */
const INFLATED_PER_BYTE = 4;

/**
 * The deflated storages to keep once they are inflated: those that several tensors view, or one only in part, while
 * they are small. Each of the others is inflated anew for every tensor; what that costs in all is bounded by the bytes
 * of all tensors. Throws `limit`.
 */
export function keptStorages(
  references: ReadonlyMap<string, TensorReference>,
  fileOf: (key: string) => ZipEntry,
  limits: Limits,
): ReadonlySet<string> {
  const uses = new Map<string, { views: number; bytes: number }>();
  let all = 0;
  for (const [tensor, reference] of references) {
    const bytes = elementCount(reference, { tensor }, limits) * DTYPES[reference.dtype].bytes;
    all += bytes;
    const { key } = reference.storage;
    if (fileOf(key).method === 'stored') continue;
    const use = uses.get(key);
    if (use === undefined) uses.set(key, { views: 1, bytes });
    else {
      use.views++;
      use.bytes += bytes;
    }
  }
  const kept = new Set<string>();
  let keptBytes = 0;
  let inflated = 0;
  for (const [key, { views, bytes }] of uses) {
    const storage = fileOf(key).bytes;
    if ((views > 1 || bytes < storage) && keptBytes + storage <= KEPT_BYTES) {
      kept.add(key);
      keptBytes += storage;
    } else inflated += views * storage;
  }
  const most = KEPT_BYTES + INFLATED_PER_BYTE * all;
  checkLimit('deflated storages are too large for their tensors (bytes to inflate)', inflated, most);
  return kept;
}
