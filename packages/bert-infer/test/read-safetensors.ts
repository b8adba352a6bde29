import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Dtype, type Tensor, tensorFromBytes } from '@prune/core';

const DTYPE_OF: Record<string, Dtype> = { F32: 'float32', F16: 'float16' };

/** A safetensors file, gzipped or not, as a state dict: what these tests need of the format, so that they need no sibling package for it. */
export function readSafetensors(path: string): Map<string, Tensor> {
  const file = readFileSync(path);
  const bytes = path.endsWith('.gz') ? gunzipSync(file) : file;
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString('utf8', 8, 8 + headerLength),
  );
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = data_offsets.map((offset) => 8 + headerLength + offset);
    tensors.set(name, tensorFromBytes(DTYPE_OF[dtype], shape, Uint8Array.from(bytes.subarray(begin, end))));
  }
  return tensors;
}
