import {
  checkLimit,
  DTYPES,
  type Dtype,
  elementCount,
  type Limits,
  locateError,
  PruneError,
  type RandomAccess,
} from '@prune/core';
import {
  ONNX_DTYPES,
  type OnnxAttribute,
  type OnnxData,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from './onnx-graph.js';
import { unpackVarints } from './unpack-varints.js';
import { type WireField, WireReader } from './wire-reader.js';

interface Range {
  readonly begin: number;
  readonly end: number;
}

/** The oldest operators that we know the meaning of: opset 9 made Erf part of ONNX. Exports of BERT begin with 10. */
const OLDEST_OPSET = 9;
/** Bytes of the numbers of one attribute, or of a shape: those of BERT's graphs have at most five numbers. */
const MAX_LIST_BYTES = 1 << 16;

/**
 * Reads the graph of an ONNX model: nodes, and where each tensor's elements are. The elements themselves are not read.
 * Throws `truncated`, `corrupt`, `limit`, and `unsupported` for a tensor type or a form of model that we do not read.
 * Source of the field numbers: onnx.proto of ONNX 1.20.
 */
export async function readGraph(source: RandomAccess, limits: Limits): Promise<OnnxGraph> {
  const reader = new WireReader(source, limits.headerBytes);
  let graph: Range | undefined;
  let opset = OLDEST_OPSET;
  for await (const field of reader.fields({ begin: 0, end: source.size })) {
    if (field.number === 7) {
      if (graph !== undefined) throw new PruneError('corrupt', { what: 'a second graph' });
      graph = message(field);
    } else if (field.number === 8) {
      opset = (await readOpset(reader, message(field), limits)) ?? opset;
    } else if (field.number === 25) {
      throw new PruneError('unsupported', { what: 'functions of the model', wanted: 'an inlined graph' });
    }
  }
  if (graph === undefined) throw new PruneError('corrupt', { what: 'no graph in the ONNX model' });
  return { opset, ...(await readGraphMessage(reader, graph, limits)) };
}

/** The version of ONNX's own operators; `undefined` where the message is about those of another domain. */
async function readOpset(reader: WireReader, range: Range, limits: Limits): Promise<number | undefined> {
  let domain = '';
  let version = 0;
  for await (const field of reader.fields(range)) {
    if (field.number === 1) domain = await text(reader, field, limits);
    else if (field.number === 2) version = Number(integer(field));
  }
  if (domain !== '' && domain !== 'ai.onnx') return undefined;
  if (version >= OLDEST_OPSET) return version;
  throw new PruneError('unsupported', { what: 'opset', got: version, wanted: `${OLDEST_OPSET} or later` });
}

async function readGraphMessage(reader: WireReader, range: Range, limits: Limits): Promise<Omit<OnnxGraph, 'opset'>> {
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const inputs: string[] = [];
  const outputs: string[] = [];
  for await (const field of reader.fields(range)) {
    if (field.number === 1) {
      nodes.push(await readNode(reader, message(field), limits));
    } else if (field.number === 5) {
      const tensor = await readTensor(reader, message(field), '', limits);
      if (initializers.has(tensor.name)) {
        throw new PruneError('corrupt', { what: 'two initializers of one name', tensor: tensor.name });
      }
      initializers.set(tensor.name, tensor);
      checkLimit('too many tensors', initializers.size, limits.tensors);
    } else if (field.number === 11) {
      inputs.push(await valueName(reader, message(field), limits));
    } else if (field.number === 12) {
      outputs.push(await valueName(reader, message(field), limits));
    } else if (field.number === 15) {
      throw new PruneError('unsupported', { what: 'sparse initializer', wanted: 'dense tensors' });
    }
  }
  // Before ONNX 1.4 (IR version 4), every initializer was listed as an input, too.
  return { nodes, initializers, inputs: inputs.filter((name) => !initializers.has(name)), outputs };
}

async function valueName(reader: WireReader, range: Range, limits: Limits): Promise<string> {
  let name = '';
  for await (const field of reader.fields(range)) if (field.number === 1) name = await text(reader, field, limits);
  return name;
}

async function readNode(reader: WireReader, range: Range, limits: Limits): Promise<OnnxNode> {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributeRanges: Range[] = [];
  let [name, op, domain] = ['', '', ''];
  for await (const field of reader.fields(range)) {
    if (field.number === 1) inputs.push(await text(reader, field, limits));
    else if (field.number === 2) outputs.push(await text(reader, field, limits));
    else if (field.number === 3) name = await text(reader, field, limits);
    else if (field.number === 4) op = await text(reader, field, limits);
    else if (field.number === 5) attributeRanges.push(message(field));
    else if (field.number === 7) domain = await text(reader, field, limits);
  }
  // Names of nodes are optional, those of their outputs are not.
  name ||= outputs[0] ?? '';
  const attributes = new Map<string, OnnxAttribute>();
  for (const attribute of attributeRanges) {
    const [key, value] = await readAttribute(reader, attribute, name, limits);
    attributes.set(key, value);
  }
  return { name, op, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes };
}

async function readAttribute(
  reader: WireReader,
  range: Range,
  node: string,
  limits: Limits,
): Promise<[name: string, value: OnnxAttribute]> {
  let name = '';
  let value: OnnxAttribute = { kind: 'other' };
  const integers: number[] = [];
  const floats: number[] = [];
  for await (const field of reader.fields(range)) {
    if (field.number === 1) name = await text(reader, field, limits);
    else if (field.number === 2) value = { kind: 'float', float: await float(reader, field) };
    else if (field.number === 3) value = { kind: 'integer', integer: Number(integer(field)) };
    else if (field.number === 4) value = { kind: 'text', text: await text(reader, field, limits) };
    else if (field.number === 5)
      value = { kind: 'tensor', tensor: await readTensor(reader, message(field), node, limits) };
    else if (field.number === 7) floats.push(...(await floatsOf(reader, field)));
    else if (field.number === 8) integers.push(...(await integersOf(reader, field)));
  }
  if (integers.length > 0) value = { kind: 'integers', integers };
  else if (floats.length > 0) value = { kind: 'floats', floats };
  return [name, value];
}

/** Reads what a TensorProto says of a tensor. A tensor of an attribute is called after its node, `node`. */
async function readTensor(reader: WireReader, range: Range, node: string, limits: Limits): Promise<OnnxTensor> {
  const shape: number[] = [];
  const external = new Map<string, string>();
  let [name, type, location] = [node, 0n, 0n];
  let data: (Range & { readonly kind: 'bytes' | 'varints'; readonly field: number }) | undefined;
  for await (const field of reader.fields(range)) {
    if (field.number === 1) {
      shape.push(...(await integersOf(reader, field)));
      checkLimit('too many dimensions', shape.length, limits.rank);
    } else if (field.number === 2) type = integer(field);
    else if (field.number === 8 && node === '') name = await text(reader, field, limits);
    else if (field.number === 13) {
      const [key, value] = await readEntry(reader, message(field), limits);
      external.set(key, value);
    } else if (field.number === 14) location = integer(field);
    else if ([4, 5, 6, 7, 9, 10, 11].includes(field.number)) {
      if (field.end === field.begin) continue;
      if (field.wire !== 'bytes' || data !== undefined) {
        throw new PruneError('unsupported', { what: 'elements in several pieces', tensor: name });
      }
      const kind = field.number === 5 || field.number === 7 ? 'varints' : 'bytes';
      data = { kind, begin: field.begin, end: field.end, field: field.number };
    } else if (field.number === 3) throw new PruneError('unsupported', { what: 'a tensor in segments', tensor: name });
  }
  const place = { tensor: name };
  const dtype = ONNX_DTYPES.get(Number(type));
  if (dtype === undefined) {
    throw new PruneError('unsupported', {
      ...place,
      what: 'element type',
      got: String(type),
      wanted: [...ONNX_DTYPES.values()].join(', '),
    });
  }
  const count = elementCount({ dtype, shape }, place, limits);
  if (location === 1n) return { name, dtype, shape, data: externalData(external, place) };
  if (location !== 0n) throw new PruneError('unsupported', { ...place, what: 'data_location', got: String(location) });
  const bytes = count * DTYPES[dtype].bytes;
  if (data === undefined) {
    if (count === 0) return { name, dtype, shape, data: { kind: 'numbers', numbers: [] } };
    throw new PruneError('truncated', { ...place, what: 'tensor has no elements', wanted: count });
  }
  checkHolder(data.field, dtype, place);
  const got = data.end - data.begin;
  // Each protobuf integer has at least one byte and at most ten.
  const fits = data.kind === 'bytes' ? got === bytes : got >= count && got <= 10 * count;
  if (!fits) {
    const wanted = `${data.kind === 'bytes' ? bytes : count} (${dtype} [${shape.join(', ')}])`;
    throw new PruneError('mismatch', { ...place, what: 'bytes of the elements', got, wanted });
  }
  return { name, dtype, shape, data: { kind: data.kind, begin: data.begin, end: data.end } };
}

/** Throws `corrupt` when a tensor keeps its elements in a field that is not for its type. */
function checkHolder(field: number, dtype: Dtype, place: { readonly tensor: string }): void {
  const holders: Readonly<Record<number, readonly Dtype[]>> = {
    4: ['float32'],
    5: ['bool', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'float16', 'bfloat16'],
    7: ['int64'],
    10: ['float64'],
  };
  if (field === 9 || holders[field]?.includes(dtype)) return;
  throw new PruneError('corrupt', { ...place, what: `elements in field ${field} of the tensor`, got: dtype });
}

/**
 * Where a tensor's elements lie in another file. Its name is one of a file in the same folder: a path could lead to
 * any file of the reader's.
 */
function externalData(entries: ReadonlyMap<string, string>, place: { readonly tensor: string }): OnnxData {
  const file = entries.get('location') ?? '';
  if (!/^[^/\\:\0]+$/.test(file) || file === '.' || file === '..') {
    const wanted = 'the name of a file in the same folder';
    throw new PruneError('unsupported', {
      ...place,
      what: 'location of external data',
      got: JSON.stringify(file),
      wanted,
    });
  }
  const number = (key: string) => {
    const given = entries.get(key);
    if (given === undefined) return undefined;
    if (/^\d{1,15}$/.test(given)) return Number(given);
    throw new PruneError('corrupt', {
      ...place,
      what: `${key} of external data`,
      got: JSON.stringify(given.slice(0, 40)),
    });
  };
  return { kind: 'external', file, offset: number('offset') ?? 0, length: number('length') };
}

async function readEntry(reader: WireReader, range: Range, limits: Limits): Promise<[key: string, value: string]> {
  let [key, value] = ['', ''];
  for await (const field of reader.fields(range)) {
    if (field.number === 1) key = await text(reader, field, limits);
    else if (field.number === 2) value = await text(reader, field, limits);
  }
  return [key, value];
}

/** The range of a field that is a message. */
function message(field: WireField): Range {
  if (field.wire === 'bytes') return field;
  throw new PruneError('corrupt', { what: `protobuf field ${field.number}`, got: field.wire, wanted: 'a message' });
}

function integer(field: WireField): bigint {
  if (field.wire === 'varint') return field.integer;
  throw new PruneError('corrupt', { what: `protobuf field ${field.number}`, got: field.wire, wanted: 'an integer' });
}

async function text(reader: WireReader, field: WireField, limits: Limits): Promise<string> {
  const { begin, end } = message(field);
  checkLimit('name is too long (bytes)', end - begin, limits.nameLength);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await reader.bytes({ begin, end }));
  } catch (cause) {
    if (cause instanceof TypeError) throw new PruneError('corrupt', { what: 'a name is not UTF-8', cause });
    throw locateError(cause, {});
  }
}

async function float(reader: WireReader, field: WireField): Promise<number> {
  if (field.wire !== 'fixed32') {
    throw new PruneError('corrupt', { what: `protobuf field ${field.number}`, got: field.wire, wanted: 'a float' });
  }
  return (await floatsOf(reader, field))[0];
}

/** Repeated floats, one a field or packed. */
async function floatsOf(reader: WireReader, field: WireField): Promise<number[]> {
  checkLimit('numbers of an attribute (bytes)', field.end - field.begin, MAX_LIST_BYTES);
  const bytes = await reader.bytes(field);
  if (field.wire === 'varint' || bytes.length % 4 !== 0) {
    throw new PruneError('corrupt', { what: `protobuf field ${field.number}`, got: field.wire, wanted: 'floats' });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** Repeated integers, one a field or packed. */
async function integersOf(reader: WireReader, field: WireField): Promise<number[]> {
  if (field.wire === 'varint') return [Number(field.integer)];
  checkLimit('numbers of an attribute (bytes)', field.end - field.begin, MAX_LIST_BYTES);
  return [...unpackVarints(await reader.bytes(message(field)))];
}
