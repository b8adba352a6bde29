import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type QuantizedLinear, type Tensor, tensorFromBytes } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { linearModules } from './linear-modules.js';
import { quantizeDynamic } from './quantize-dynamic.js';

const json = (name: string) => JSON.parse(readFileSync(modelPath(name), 'utf8'));

/** A model's float16 safetensors, whole. */
function checkpoint(name: string): Map<string, Tensor> {
  const file = gunzipSync(readFileSync(modelPath(name)));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const map = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(JSON.parse(file.toString('utf8', 8, start)))) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: range } = entry as { dtype: string; shape: number[]; data_offsets: number[] };
    expect(dtype).toBe('F16');
    map.set(name, tensorFromBytes('float16', shape, file.subarray(start + range[0], start + range[1])));
  }
  return map;
}

test.each([
  ['mini-qa', 'model.safetensors.gz'],
  ['mini-embed', 'encoder.safetensors.gz'],
])('every Linear of %s, float16, is what PyTorch makes of it', async (name, file) => {
  const model = checkpoint(`${name}/${file}`);
  const { known, linears } = linearModules(json(`${name}/config.json`), model);
  const expected = json(`${name}/expected-int8.json`).quantize_dynamic;
  expect(known).toBe(true);
  expect([...linears].sort()).toEqual(Object.keys(expected).sort());
  const quantized = quantizeDynamic(model, { linears });
  for (const name of linears) {
    const { weight, scales } = (await quantized.get(name)) as QuantizedLinear;
    expect({
      shape: weight.shape,
      scale: scales[0],
      zero_point: 0,
      nnz: weight.intRepr.filter((code) => code !== 0).length,
      sha256: createHash('sha256').update(weight.intRepr).digest('hex'),
    }).toEqual(expected[name]);
  }
});
