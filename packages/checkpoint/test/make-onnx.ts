import { DTYPES, type Dtype, type Tensor, tensorBytes } from '@prune/core';
import { ONNX_DTYPES } from '../src/onnx/onnx-graph.js';

/** A protobuf field: an integer, or bytes with their length. */
export function field(number: number, value: number | bigint | string | Uint8Array): Uint8Array {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return joined([varint(8 * number), varint(value)]);
  }
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return joined([varint(8 * number + 2), varint(bytes.length), bytes]);
}

export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The field of TensorProto that a tensor's elements are in; `external` takes what it says of the other file. */
export type Holder = 'raw_data' | 'typed' | Readonly<Record<string, string>>;

/** A TensorProto. */
export function tensorProto(name: string, { dtype, shape, data }: Tensor, holder: Holder = 'raw_data'): Uint8Array {
  const type = [...ONNX_DTYPES].find(([, known]) => known === dtype)![0];
  return joined([...shape.map((size) => field(1, size)), field(2, type), ...elements(), field(8, name)]);

  function elements(): Uint8Array[] {
    if (holder === 'raw_data') return [field(9, tensorBytes({ dtype, shape, data }))];
    if (holder !== 'typed') {
      const entries = Object.entries(holder).map(([key, value]) => field(13, joined([field(1, key), field(2, value)])));
      return [...entries, field(14, 1)];
    }
    if (dtype === 'float32') return [field(4, tensorBytes({ dtype, shape, data }))];
    return [field(dtype === 'int64' ? 7 : 5, joined(Array.from(data as ArrayLike<number>, varint)))];
  }
}

/** A tensor with these elements. */
export function tensorOf<D extends Dtype>(dtype: D, shape: readonly number[], numbers: readonly number[]): Tensor<D> {
  const { array } = DTYPES[dtype];
  const values = dtype === 'int64' ? numbers.map(BigInt) : numbers;
  return { dtype, shape, data: (array as unknown as { from(all: unknown): Tensor<D>['data'] }).from(values) };
}

/** A node of a graph, with attributes of integers, texts and lists of integers. */
export interface TestNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
}

/** A ModelProto. */
export function makeOnnx(graph: {
  readonly nodes: readonly TestNode[];
  readonly initializers: readonly Uint8Array[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly opset?: number;
}): Uint8Array {
  const value = (name: string) => field(1, name);
  const body = joined([
    ...graph.nodes.map((node) => field(1, nodeProto(node))),
    field(2, 'graph'),
    ...graph.initializers.map((tensor) => field(5, tensor)),
    ...graph.inputs.map((name) => field(11, value(name))),
    ...graph.outputs.map((name) => field(12, value(name))),
  ]);
  return joined([field(1, 8), field(2, 'test'), field(7, body), field(8, joined([field(2, graph.opset ?? 20)]))]);
}

function nodeProto({ op, inputs, outputs, name = op, domain, attributes = {} }: TestNode): Uint8Array {
  return joined([
    ...inputs.map((input) => field(1, input)),
    ...outputs.map((output) => field(2, output)),
    field(3, name),
    field(4, op),
    ...Object.entries(attributes).map(([key, value]) => field(5, joined([field(1, key), attribute(value)]))),
    ...(domain === undefined ? [] : [field(7, domain)]),
  ]);
}

function attribute(value: number | string | readonly number[]): Uint8Array {
  if (typeof value === 'number') return field(3, value);
  return typeof value === 'string' ? field(4, value) : joined(value.map((number) => field(8, number)));
}

/** What a test changes in the small BERT: nodes by name, initializers by name. */
export interface BertChanges {
  readonly nodes?: Readonly<Record<string, Partial<TestNode>>>;
  readonly tensors?: Readonly<Record<string, Tensor>>;
  readonly holders?: Readonly<Record<string, Holder>>;
  readonly outputs?: readonly string[];
  readonly opset?: number;
  /** Nodes before all others, and after them. */
  readonly first?: readonly TestNode[];
  readonly last?: readonly TestNode[];
}

/** A BERT of one layer, two heads and four columns, and its weights under the names that transformers gives them. */
export function makeBertOnnx({
  nodes = {},
  tensors = {},
  holders = {},
  outputs = ['hidden'],
  opset,
  first = [],
  last = [],
}: BertChanges = {}) {
  let seed = 1;
  const random = (shape: readonly number[]) => {
    const numbers = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2 ** 31 - 0.5;
    });
    return tensorOf('float32', shape, numbers.map(Math.fround));
  };
  const integers = (numbers: readonly number[]) => tensorOf('int64', [numbers.length], numbers);
  const all: Record<string, Tensor> = {
    words: random([7, 4]),
    positions: random([5, 4]),
    types: random([2, 4]),
    ids: tensorOf('int64', [1, 5], [0, 1, 2, 3, 4]),
    ...Object.fromEntries(
      ['q', 'k', 'v', 'o'].flatMap((name) => [
        [name, random([4, 4])],
        [`${name}b`, random([4])],
      ]),
    ),
    ...Object.fromEntries(
      ['n0', 'n1', 'n2'].flatMap((name) => [
        [name, random([4])],
        [`${name}b`, random([4])],
      ]),
    ),
    ...{ i: random([4, 6]), ib: random([6]), f: random([6, 4]), fb: random([4]) },
    ...{ cut: integers([0, -1, 2, 2]), whole: integers([0, -1, 4]), root: tensorOf('float32', [], [Math.SQRT2]) },
    ...tensors,
  };
  const linear = (name: string, x: string): TestNode[] => [
    { name: `${name}.MatMul`, op: 'MatMul', inputs: [x, name], outputs: [`${name}.product`] },
    { name: `${name}.Add`, op: 'Add', inputs: [`${name}.product`, `${name}b`], outputs: [`${name}.linear`] },
  ];
  const heads = (name: string, perm: readonly number[]): TestNode[] => [
    { name: `${name}.Reshape`, op: 'Reshape', inputs: [`${name}.linear`, 'cut'], outputs: [`${name}.cut`] },
    {
      name: `${name}.Transpose`,
      op: 'Transpose',
      inputs: [`${name}.cut`],
      outputs: [`${name}.heads`],
      attributes: { perm },
    },
  ];
  const norm = (name: string, x: string, output: string): TestNode => ({
    name,
    op: 'LayerNormalization',
    inputs: [x, name, `${name}b`],
    outputs: [output],
    attributes: { axis: -1 },
  });
  const graph: TestNode[] = [
    { name: 'words.Gather', op: 'Gather', inputs: ['words', 'input_ids'], outputs: ['w'] },
    { name: 'types.Gather', op: 'Gather', inputs: ['types', 'token_type_ids'], outputs: ['t'] },
    { name: 'positions.Gather', op: 'Gather', inputs: ['positions', 'ids'], outputs: ['p'] },
    { name: 'sum', op: 'Add', inputs: ['w', 't'], outputs: ['wt'] },
    { name: 'sum2', op: 'Add', inputs: ['wt', 'p'], outputs: ['wtp'] },
    norm('n0', 'wtp', 'x'),
    ...[...linear('q', 'x'), ...linear('k', 'x'), ...linear('v', 'x')],
    ...[...heads('q', [0, 2, 1, 3]), ...heads('k', [0, 2, 3, 1]), ...heads('v', [0, 2, 1, 3])],
    { name: 'mask.Cast', op: 'Cast', inputs: ['attention_mask'], outputs: ['mask'], attributes: { to: 1 } },
    { name: 'scores', op: 'MatMul', inputs: ['q.heads', 'k.heads'], outputs: ['s'] },
    { name: 'scale', op: 'Div', inputs: ['s', 'root'], outputs: ['scaled'] },
    { name: 'masking', op: 'Add', inputs: ['scaled', 'mask'], outputs: ['masked'] },
    { name: 'softmax', op: 'Softmax', inputs: ['masked'], outputs: ['probabilities'], attributes: { axis: -1 } },
    { name: 'context', op: 'MatMul', inputs: ['probabilities', 'v.heads'], outputs: ['c'] },
    { name: 'back', op: 'Transpose', inputs: ['c'], outputs: ['ct'], attributes: { perm: [0, 2, 1, 3] } },
    { name: 'merge', op: 'Reshape', inputs: ['ct', 'whole'], outputs: ['merged'] },
    ...linear('o', 'merged'),
    { name: 'residual', op: 'Add', inputs: ['o.linear', 'x'], outputs: ['r1'] },
    norm('n1', 'r1', 'attended'),
    ...linear('i', 'attended'),
    { name: 'gelu', op: 'Gelu', inputs: ['i.linear'], outputs: ['g'] },
    ...linear('f', 'g'),
    { name: 'residual2', op: 'Add', inputs: ['f.linear', 'attended'], outputs: ['r2'] },
    norm('n2', 'r2', 'hidden'),
  ];
  const file = makeOnnx({
    nodes: [...first, ...graph.map((node) => ({ ...node, ...nodes[node.name!] })), ...last],
    initializers: Object.entries(all).map(([name, tensor]) => tensorProto(name, tensor, holders[name])),
    inputs: ['input_ids', 'attention_mask', 'token_type_ids'],
    outputs,
    opset,
  });
  return { file, tensors: all };
}

/** Changes that make codes of the keys' matrix, which a DequantizeLinear makes numbers of: one code and many zeros. */
export function codesOfKeys(dtype: 'int8' | 'uint8', code: number, zero: number): BertChanges {
  const codes = Array<number>(16).fill(zero);
  codes[2] = code;
  return {
    first: [{ op: 'DequantizeLinear', inputs: ['k', 'ks', 'kz'], outputs: ['k.real'] }],
    nodes: { 'k.MatMul': { inputs: ['x', 'k.real'] } },
    tensors: {
      k: tensorOf(dtype, [4, 4], codes),
      ks: tensorOf('float32', [], [0.25]),
      kz: tensorOf(dtype, [], [zero]),
    },
  };
}
