import { DEFAULT_LIMITS, type JsonObject, PruneError, type QuantizedLinear, type Tensor } from '@prune/core';
import { expect, test } from 'vitest';
import {
  type BertChanges,
  codesOfKeys,
  field,
  joined,
  makeBertOnnx,
  makeOnnx,
  tensorOf,
  tensorProto,
} from '../test/make-onnx.js';
import { openStagedFile } from './open-staged-file.js';
import { type OpenOnnxOptions, openStagedOnnx } from './open-staged-onnx.js';

async function opened(changes: BertChanges = {}, options: OpenOnnxOptions = {}) {
  const { file, tensors } = makeBertOnnx(changes);
  const checkpoint = await openStagedOnnx(file, { name: 'model.onnx', ...options });
  return { checkpoint, tensors };
}

async function float(changes: BertChanges = {}, options: OpenOnnxOptions = {}) {
  const { checkpoint, tensors } = await opened(changes, options);
  if (checkpoint.stage !== 'float') throw new Error(checkpoint.stage);
  return { tensors: checkpoint.tensors, given: tensors, config: checkpoint.config };
}

async function errorOf(changes: BertChanges, config?: JsonObject): Promise<PruneError> {
  return opened(changes, { config }).then(
    () => {
      throw new Error('opened');
    },
    (error) => error,
  );
}

function transposed({ shape: [rows, columns], data, dtype }: Tensor): Tensor {
  const numbers = Array.from({ length: rows * columns }, (_, i) =>
    Number(data[(i % rows) * columns + Math.floor(i / rows)]),
  );
  return tensorOf(dtype, [columns, rows], numbers);
}

test('nothing', async () => {
  const empty = makeOnnx({ nodes: [], initializers: [], inputs: [], outputs: [] });
  await expect(openStagedOnnx(empty)).rejects.toMatchObject({ code: 'unsupported' });
  await expect(openStagedOnnx(field(1, 8))).rejects.toMatchObject({ code: 'corrupt' });
});

test('the first bytes tell an ONNX model', async () => {
  const { file } = makeBertOnnx();
  expect(await openStagedFile(file)).toMatchObject({ stage: 'float', tensors: { format: 'onnx' } });
});

test('a BERT of one layer: matrices are [out, in], and the graph proves the config', async () => {
  const { tensors, given, config } = await float();
  expect(await tensors.get('encoder.layer.0.attention.self.key.weight')).toEqual(transposed(given.k));
  expect(await tensors.get('encoder.layer.0.intermediate.dense.weight')).toEqual(transposed(given.i));
  expect(await tensors.get('encoder.layer.0.output.LayerNorm.bias')).toEqual(given.n2b);
  expect(await tensors.get('embeddings.position_embeddings.weight')).toEqual(given.positions);
  expect(await tensors.get('pooler.dense.weight')).toBeUndefined();
  expect(config).toMatchObject({
    model_type: 'bert',
    architectures: ['BertModel'],
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 6,
    vocab_size: 7,
    max_position_embeddings: 5,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-5,
  });
});

test('elements in float_data, int32_data and int64_data', async () => {
  const half = tensorOf('float16', [4], [0x3c00, 0xbc00, 0x0001, 0x7bff]);
  const holders = { words: 'typed', n0: 'typed', cut: 'typed', ids: 'typed' } as const;
  const { tensors, given } = await float({ holders, tensors: { n0: half } });
  expect(await tensors.get('embeddings.word_embeddings.weight')).toEqual(given.words);
  expect(await tensors.get('embeddings.LayerNorm.weight')).toEqual(half);
});

test.each<[string, BertChanges, string]>([
  ['another activation', { nodes: { gelu: { op: 'Sigmoid' } } }, 'gelu'],
  ['an operator of another domain', { nodes: { gelu: { domain: 'com.example' } } }, 'gelu'],
  ['another factor of attention', { nodes: { scale: { inputs: ['s', 's'] } } }, 'scale'],
  [
    'values that are not cut like the keys',
    { nodes: { 'v.Transpose': { attributes: { perm: [0, 1, 2, 3] } } } },
    'context',
  ],
  ['a softmax over another axis', { nodes: { softmax: { attributes: { axis: 1 } } } }, 'softmax'],
  ['a mask of weights', { nodes: { masking: { inputs: ['scaled', 'q'] } } }, 'masking'],
  ['queries of other states', { nodes: { 'q.MatMul': { inputs: ['w', 'q'] } } }, 'n1'],
])('%s: unsupported, and the node is named', async (_, changes, node) => {
  const error = await errorOf(changes);
  expect(error).toMatchObject({ code: 'unsupported', where: 'model.onnx' });
  expect(error.what).toContain(`"${node}"`);
});

test('the default axis of Softmax is that of the opset', async () => {
  const nodes = { softmax: { attributes: {} } };
  expect((await opened({ nodes, opset: 13 })).checkpoint.stage).toBe('float');
  expect(await errorOf({ nodes, opset: 12 })).toMatchObject({ code: 'unsupported', got: 'Softmax' });
});

test('the factor of attention must be that of the size of a head', async () => {
  const error = await errorOf({ tensors: { root: tensorOf('float32', [], [2]) } });
  expect(error).toMatchObject({ code: 'unsupported', got: 'Softmax' });
});

test('a causal mask is not a padding mask', async () => {
  // Trilu takes the place of the Cast, so that the mask that is added depends on the positions.
  const error = await errorOf({ nodes: { 'mask.Cast': { op: 'Trilu' } } });
  expect(error).toMatchObject({ code: 'unsupported' });
  expect(error.what).toContain('"masking"');
});

test('a head that nothing names: unsupported output', async () => {
  const last = [{ name: 'odd', op: 'Sigmoid', inputs: ['hidden'], outputs: ['odd'] }];
  expect(await errorOf({ last, outputs: ['odd'] })).toMatchObject({ code: 'unsupported', got: 'Sigmoid' });
});

test('logits of a layer that is not the last one', async () => {
  const last = [
    { op: 'MatMul', inputs: ['x', 'cls'], outputs: ['product'] },
    { op: 'Add', inputs: ['product', 'clsb'], outputs: ['logits'] },
  ];
  const tensors = { cls: tensorOf('float32', [4, 3], Array(12).fill(1)), clsb: tensorOf('float32', [3], [1, 2, 3]) };
  expect(await errorOf({ last, tensors, outputs: ['hidden', 'logits'] })).toMatchObject({ code: 'unsupported' });
  const ofLast = [{ ...last[0], inputs: ['hidden', 'cls'] }, last[1]];
  const { config } = await float({ last: ofLast, tensors, outputs: ['logits'] });
  expect(config).toMatchObject({ architectures: ['BertForTokenClassification'] });
});

test("the graph's own pooling is not taken over, and a note says so", async () => {
  const last = [
    { op: 'Mul', inputs: ['hidden', 'mask'], outputs: ['m'] },
    { op: 'ReduceSum', inputs: ['m'], outputs: ['sums'] },
    { op: 'Div', inputs: ['sums', 'mask'], outputs: ['sentence_embedding'] },
  ];
  const { checkpoint } = await opened({ last, outputs: ['hidden', 'sentence_embedding'] });
  expect(checkpoint).toMatchObject({ stage: 'float', notes: [expect.stringContaining('sentence embedding')] });
  const squared = [{ op: 'Mul', inputs: ['hidden', 'hidden'], outputs: ['odd'] }];
  expect(await errorOf({ last: squared, outputs: ['odd'] })).toMatchObject({ code: 'unsupported', got: 'Mul' });
});

test('what no output needs is not looked at', async () => {
  const last = [{ name: 'odd', op: 'Sigmoid', inputs: ['hidden'], outputs: ['odd'] }];
  const { tensors } = await float({ last });
  expect([...tensors.keys()]).toHaveLength(21);
});

test.each<[string, JsonObject]>([
  ['heads', { num_attention_heads: 4 }],
  ['activation', { hidden_act: 'gelu_new' }],
  ['layers', { num_hidden_layers: 12 }],
  ['epsilon', { layer_norm_eps: 1e-12 }],
  ['family', { model_type: 'roberta' }],
])('config.json says something else: %s', async (_, config) => {
  expect(await errorOf({}, config)).toMatchObject({ code: 'mismatch', where: 'model.onnx' });
});

test('weights that do not fit each other', async () => {
  const changes = {
    tensors: { f: tensorOf('float32', [6, 4], Array(24).fill(1)), i: tensorOf('float32', [3, 6], Array(18).fill(1)) },
  };
  expect(await errorOf(changes)).toMatchObject({ code: 'mismatch', tensor: 'i' });
});

test('a value that is computed after it is used, twice, or not at all', async () => {
  expect(await errorOf({ nodes: { gelu: { inputs: ['later'] } } })).toMatchObject({ code: 'corrupt', tensor: 'later' });
  expect(await errorOf({ nodes: { gelu: { outputs: ['hidden'] } } })).toMatchObject({ code: 'corrupt' });
  expect(await errorOf({ outputs: ['absent'] })).toMatchObject({ code: 'corrupt', tensor: 'absent' });
});

test('a tensor with too few bytes, or none', async () => {
  const words = { dtype: 'float32', shape: [7, 5], data: new Float32Array(28) } as const;
  expect(await errorOf({ tensors: { words } })).toMatchObject({ code: 'mismatch', tensor: 'words' });
  const none = { dtype: 'float32', shape: [7, 4], data: new Float32Array(0) } as const;
  expect(await errorOf({ tensors: { words: none } })).toMatchObject({ code: 'truncated', tensor: 'words' });
});

test('a shape of more bytes than a tensor may have', async () => {
  const words = { dtype: 'float32', shape: [2 ** 30, 2 ** 20], data: new Float32Array(28) } as const;
  expect(await errorOf({ tensors: { words } })).toMatchObject({ code: 'limit', tensor: 'words' });
});

test('limits on tensors and on the bytes of the graph', async () => {
  const { file } = makeBertOnnx();
  for (const limits of [{ tensors: 5 }, { headerBytes: 100 }, { nameLength: 2 }, { rank: 1 }]) {
    const opening = openStagedOnnx(file, { limits: { ...DEFAULT_LIMITS, ...limits } });
    await expect(opening, JSON.stringify(limits)).rejects.toMatchObject({ code: 'limit' });
  }
});

test('opsets before Erf, functions and sparse tensors', async () => {
  const old = makeOnnx({ nodes: [], initializers: [], inputs: [], outputs: [], opset: 8 });
  await expect(openStagedOnnx(old)).rejects.toMatchObject({ code: 'unsupported', got: 8 });
  const { file } = makeBertOnnx();
  await expect(openStagedOnnx(joined([file, field(25, 'f')]))).rejects.toMatchObject({ code: 'unsupported' });
  const sparse = field(7, field(15, 'sparse'));
  await expect(openStagedOnnx(joined([field(1, 8), sparse]))).rejects.toMatchObject({ code: 'unsupported' });
  await expect(openStagedOnnx(joined([file, field(7, '')]))).rejects.toMatchObject({ code: 'corrupt' });
});

test('an element type that no weight has', async () => {
  const words = joined([field(1, 1), field(2, 8), field(8, 'words'), field(9, 'x')]);
  const file = makeOnnx({ nodes: [], initializers: [words], inputs: [], outputs: [] });
  await expect(openStagedOnnx(file)).rejects.toMatchObject({ code: 'unsupported', tensor: 'words' });
});

test('two initializers of one name', async () => {
  const one = tensorProto('a', tensorOf('float32', [1], [1]));
  const file = makeOnnx({ nodes: [], initializers: [one, one], inputs: [], outputs: [] });
  await expect(openStagedOnnx(file)).rejects.toMatchObject({ code: 'corrupt', tensor: 'a' });
});

test.each(['../words.bin', '/etc/passwd', 'a/b', 'a\\b', '..', '', 'c:x'])('external data at %j', async (location) => {
  expect(await errorOf({ holders: { words: { location } } })).toMatchObject({ code: 'unsupported', tensor: 'words' });
});

test('external data: the right bytes of the right file, checked before they are read', async () => {
  const bytes = new Uint8Array(256).map((_, i) => i % 64);
  const files: string[] = [];
  const openExternal = async (file: string) => {
    files.push(file);
    return bytes;
  };
  const outside = (entries: Record<string, string>) => ({ holders: { words: { location: 'w.bin', ...entries } } });
  const { tensors } = await float(outside({ offset: '8', length: '112' }), { openExternal });
  expect((await tensors.get('embeddings.word_embeddings.weight'))!.data).toEqual(
    new Float32Array(bytes.slice(8, 120).buffer),
  );
  expect(files).toEqual(['w.bin']);
  const codeOf = (entries: Record<string, string>, options = { openExternal } as OpenOnnxOptions) =>
    opened(outside(entries), options).then(
      () => 'opened',
      (error: PruneError) => error.code,
    );
  expect(await codeOf({ offset: '200', length: '112' })).toBe('truncated');
  expect(await codeOf({ offset: '0', length: '100' })).toBe('mismatch');
  expect(await codeOf({ offset: '-1' })).toBe('corrupt');
  expect(await codeOf({ offset: '1e3' })).toBe('corrupt');
  expect(await codeOf({}, {})).toBe('unsupported');
  const missing = async () => {
    throw new PruneError('missing', { what: 'no such file' });
  };
  expect(await codeOf({}, { openExternal: missing })).toBe('missing');
});

test.each([
  ['int8', 127, 0, 127],
  ['int8', -128, 0, -128],
  ['uint8', 255, 128, 127],
  ['uint8', 0, 128, -128],
  ['uint8', 0, 127, -127],
] as const)('%s code %i with zero point %i is %i', async (dtype, code, zero, wanted) => {
  const { checkpoint } = await opened(codesOfKeys(dtype, code, zero));
  if (checkpoint.stage !== 'quantized') throw new Error(checkpoint.stage);
  const key = (await checkpoint.quantized.get('encoder.layer.0.attention.self.key')) as QuantizedLinear;
  // Row 0, column 2 of [in, out] is row 2, column 0 of [out, in].
  const intRepr = new Int8Array(16);
  intRepr[8] = wanted;
  expect(key).toMatchObject({ qscheme: 'per_tensor_affine', weight: { shape: [4, 4], intRepr } });
  expect([...key.scales]).toEqual([0.25]);
});

test.each([
  ['uint8', 255, 127],
  ['uint8', 0, 129],
  ['int8', -128, 1],
] as const)('%s code %i with zero point %i fits no int8', async (dtype, code, zero) => {
  const { checkpoint } = await opened(codesOfKeys(dtype, code, zero));
  if (checkpoint.stage !== 'quantized') throw new Error(checkpoint.stage);
  await expect(checkpoint.quantized.get('encoder.layer.0.attention.self.key')).rejects.toMatchObject({
    code: 'unsupported',
    tensor: 'k',
    got: `code ${code}, zero point ${zero}`,
  });
});
