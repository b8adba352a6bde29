import { type QuantizationProfile, type Tensor, tensorBytes } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { dequantizeEmbedding } from './dequantize-embedding.js';
import { dynamicLinear } from './dynamic-linear.js';
import { quantizeEmbedding } from './quantize-embedding.js';
import { quantizeWeight } from './quantize-weight.js';

const ops = readNpz(goldenPath('ops.npz'));
const tables = readNpz(goldenPath('embedding_ops.npz'));
const PROFILE_OF_ENGINE: Record<string, QuantizationProfile> = {
  fbgemm: 'fbgemm',
  x86: 'fbgemm',
  onednn: 'fbgemm',
  qnnpack: 'qnnpack',
};
const weights = [...ops.keys()].filter((key) => key.endsWith('.weight')).map((key) => key.slice(0, -'.weight'.length));
const tableNames = [...tables.keys()]
  .filter((key) => key.endsWith('.weight'))
  .map((key) => key.slice(0, -'.weight'.length));

const get = (arrays: typeof ops, name: string) => arrays.get(name) as Tensor;
/** Bits, so that -0 is not 0 and a NaN is itself. */
const bits = (values: ArrayBufferView) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
const bitsOf = (name: string) => Buffer.from(tensorBytes(get(ops, name))).toString('hex');

test('the goldens are all there', () => {
  expect(weights.length).toBe(11);
  expect(tableNames.length).toBe(6);
});

for (const scheme of ['tensor', 'channel']) {
  for (const weight of weights) {
    test.each(Object.keys(PROFILE_OF_ENGINE))(`${scheme} ${weight} %s`, (engine) => {
      const name = `${scheme}.${weight}.${engine}`;
      const quantized = quantizeWeight(get(ops, `${weight}.weight`), { perChannel: scheme === 'channel' });
      expect(bits(quantized.weight.intRepr)).toBe(bitsOf(`${name}.int_repr`));
      expect(bits(quantized.scales)).toBe(bitsOf(`${name}.scale`));
      expect((get(ops, `${name}.zero_point`).data as BigInt64Array).every((zeroPoint) => zeroPoint === 0n)).toBe(true);

      const bias = get(ops, `${name}.bias`) as Tensor<'float32'>;
      const linear = { kind: 'linear', ...quantized, bias } as const;
      const x = get(ops, `${name}.x`) as Tensor<'float32'>;
      const row3 = x.data.subarray(3 * x.shape[1], 4 * x.shape[1]);
      const profile = PROFILE_OF_ENGINE[engine];
      const onednn = engine === 'onednn';
      expect(bits(dynamicLinear(x.data, linear, profile, { onednn }))).toBe(bitsOf(`${name}.y`));
      expect(bits(dynamicLinear(row3, linear, profile, { onednn }))).toBe(bitsOf(`${name}.y_row3`));
      const rows = linear.weight.shape[0];
      const rowwise = dynamicLinear(x.data, linear, profile, { onednn, rowwise: true });
      expect(bits(rowwise.subarray(3 * rows, 4 * rows))).toBe(bitsOf(`${name}.y_row3`));
    });
  }
}

test.each(tableNames)('embedding table %s, 8 bits', (name) => {
  const table = quantizeEmbedding(get(tables, `${name}.weight`), 8);
  expect(bits(table.scales)).toBe(bits(get(tables, `8.${name}.scale`).data));
  expect(bits(table.zeroPoints)).toBe(bits(get(tables, `8.${name}.zero_point`).data));
  expect(bits(table.intRepr)).toBe(bits(get(tables, `8.${name}.int_repr`).data));
  expect(bits(dequantizeEmbedding(table).data)).toBe(bits(get(tables, `8.${name}.y`).data));
});

// There is no `.y` to compare with: PyTorch 1.13 looks these tables up with the 8-bit operator (make_embedding_ops.py).
test.each(tableNames)('embedding table %s, 4 bits', (name) => {
  const weight = get(tables, `${name}.weight`) as Tensor<'float32'>;
  const table = quantizeEmbedding(weight, 4);
  expect(bits(table.scales)).toBe(bits(get(tables, `4.${name}.scale`).data));
  expect(bits(table.zeroPoints)).toBe(bits(get(tables, `4.${name}.zero_point`).data));
  expect(bits(table.intRepr)).toBe(bits(get(tables, `4.${name}.int_repr`).data));
  // Each element is within half a step of what it was (and the rounding of the zero point and of w').
  const columns = weight.shape[1];
  const back = dequantizeEmbedding(table).data;
  const worst = back.reduce((most, value, i) => {
    const scale = table.scales[Math.floor(i / columns)];
    return Math.max(most, Math.abs(value - weight.data[i]) / scale);
  }, 0);
  expect(worst).toBeLessThan(0.5001);
});
