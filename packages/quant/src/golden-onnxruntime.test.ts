import { type DenseInt8Matrix, type QuantizedLinear, type Tensor, tensorBytes } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { activationQuantization } from './activation-quantization.js';
import { dynamicLinear } from './dynamic-linear.js';
import { quantizeWeight } from './quantize-weight.js';
import { quantizeWeightToCsr } from './quantize-weight-to-csr.js';

const activations = readNpz(goldenPath('onnxruntime/activations.npz'));
const linears = readNpz(goldenPath('onnxruntime/linears.npz'));
const namesOf = (arrays: typeof linears) =>
  [...arrays.keys()].filter((key) => key.endsWith('.x')).map((key) => key.slice(0, -'.x'.length));

const get = (arrays: typeof linears, name: string) => arrays.get(name) as Tensor<'float32'>;
const bytes = (name: string) => (activations.get(name) as Tensor<'uint8'>).data;
/** Bits, so that -0 is not 0. */
const bits = (values: ArrayBufferView) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
const bitsOf = (name: string) => Buffer.from(tensorBytes(linears.get(name) as Tensor)).toString('hex');

test('the goldens are all there', () => {
  expect(namesOf(activations).length).toBe(27);
  expect(namesOf(linears).length).toBe(16);
});

test.each(namesOf(activations))('activations %s', (name) => {
  const x = get(activations, `${name}.x`);
  const scale = get(activations, `${name}.scale`).data[0];
  const zeroPoint = bytes(`${name}.zero_point`)[0];
  const found = activationQuantization(Math.min(...x.data), Math.max(...x.data), 'onnxruntime');
  expect(found).toMatchObject({ scale, zeroPoint });

  const weight = quantizeWeight(diagonal(x.shape[1], get(activations, `${name}.weight`).data[0]), {
    profile: 'onnxruntime',
  });
  const y = dynamicLinear(x.data, { kind: 'linear', ...weight, bias: null }, 'onnxruntime');
  expect(bits(y)).toBe(bits(get(activations, `${name}.y`).data));

  // With the scale 0 every output is 0, and its sign is all that is left of the codes.
  if (scale === 0) return;
  const products = dynamicLinear(x.data, identity(x.shape[1]), 'onnxruntime');
  const codes = Uint8Array.from(products, (product) => Math.round(product / scale) + zeroPoint);
  expect(codes).toEqual(bytes(`${name}.codes`));
});

for (const scheme of ['tensor', 'channel']) {
  test.each(namesOf(linears))(`linear ${scheme} %s`, (name) => {
    const options = { perChannel: scheme === 'channel', profile: 'onnxruntime' } as const;
    const weight = get(linears, `${name}.weight`);
    const quantized = quantizeWeight(weight, options);
    expect(bits(quantized.weight.intRepr)).toBe(bitsOf(`${scheme}.${name}.int_repr`));
    expect(bits(Float32Array.from(quantized.scales))).toBe(bitsOf(`${scheme}.${name}.scale`));

    const bias = get(linears, `${name}.bias`);
    const x = get(linears, `${name}.x`);
    const columns = weight.shape[1];
    const token3 = x.data.subarray(3 * columns, 4 * columns);
    for (const matrix of [quantized, quantizeWeightToCsr(weight, options)]) {
      const linear = { kind: 'linear', ...matrix, bias } as const;
      expect(bits(dynamicLinear(x.data, linear, 'onnxruntime'))).toBe(bitsOf(`${scheme}.${name}.y`));
      expect(bits(dynamicLinear(token3, linear, 'onnxruntime'))).toBe(bitsOf(`${scheme}.${name}.y_token3`));
      const noBias = { ...linear, bias: null };
      expect(bits(dynamicLinear(x.data, noBias, 'onnxruntime'))).toBe(bitsOf(`${scheme}.${name}.no_bias`));
    }
  });
}

test('a range that float32 does not hold is refused: onnxruntime gives NaN for it', () => {
  expect(() => activationQuantization(-3e38, 3e38, 'onnxruntime')).toThrow(
    expect.objectContaining({ code: 'not-finite', where: 'quant' }),
  );
  expect(activationQuantization(-3e38, 3e38, 'qnnpack').zeroPoint).toBe(128);
});

function diagonal(size: number, value: number): Tensor<'float32'> {
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) data[i * (size + 1)] = value;
  return { dtype: 'float32', shape: [size, size], data };
}

function identity(size: number): QuantizedLinear<DenseInt8Matrix> {
  const intRepr = Int8Array.from(diagonal(size, 1).data);
  const weight = { shape: [size, size] as const, intRepr };
  return { kind: 'linear', weight, qscheme: 'per_tensor_affine', scales: Float64Array.of(1), bias: null };
}
