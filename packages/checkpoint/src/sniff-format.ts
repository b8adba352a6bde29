import type { RandomAccess } from '@prune/core';
import type { CheckpointFormat } from './checkpoint.js';

/** The tags of ModelProto's fields that can come second: 2 to 8, of their types, and the metadata's 14. */
const ONNX_FIELDS: ReadonlySet<number> = new Set([0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]);

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
  // An ONNX model begins with the version of its format, and then says who made it, its graph or its operators.
  if (a === 0x08 && b >= 3 && b < 0x80 && ONNX_FIELDS.has(head[2])) return 'onnx';
  if (/^\s*\{/.test(String.fromCharCode(...head))) return 'json';
  return undefined;
}
