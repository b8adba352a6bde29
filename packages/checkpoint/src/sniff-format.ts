import type { RandomAccess } from '@prune/core';
import type { CheckpointFormat } from './checkpoint.js';

/** What the first bytes of a source say it is; `undefined` for none of these. */
export async function sniffFormat(source: RandomAccess): Promise<CheckpointFormat | 'gzip' | 'json' | undefined> {
  const head = await source.read(0, Math.min(9, source.size));
  const [a, b] = head;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x50 && b === 0x4b) return 'pytorch-zip';
  // The header's length is below 2^32, and the header begins with a brace.
  if (head[8] === 0x7b && head[4] === 0 && head[5] === 0 && head[6] === 0 && head[7] === 0) return 'safetensors';
  // A pickle of protocol 2 or later.
  if (a === 0x80 && b >= 2 && b <= 5) return 'pytorch-legacy';
  if (/^\s*\{/.test(String.fromCharCode(...head))) return 'json';
  return undefined;
}
