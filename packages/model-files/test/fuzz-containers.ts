import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Codec, DTYPES, type EncodedPiece, isPruneError, type NamedTensor, tensor } from '@prune/core';
import {
  csrGzip,
  gzip,
  type MsgpackStore,
  openMsgpackStore,
  planesGzip,
  raw,
  summarizeContainer,
} from '@prune/msgpack-store';
import { entropyCodec, rowsCodec } from '@prune/sparse-codec';
import { crcOf, forgeContainer, type Packed } from './forge-container.js';

/** What a run of mutants came to. */
export interface FuzzOutcome {
  readonly values: number;
  /** Errors by their code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly slowestSeconds: number;
  /** The number of the first mutant that ended otherwise, and how. */
  readonly failure?: string;
}

/** A block and the tensors that it holds; without tensors it is a file's. */
interface Block {
  readonly codec: string;
  readonly bytes: Uint8Array;
  readonly tensors: readonly NamedTensor[];
  /** The parts that end it. */
  readonly parts?: readonly Uint8Array[];
}

/** A container, and the file that it calls its base. */
interface Mutant {
  readonly bytes: Uint8Array;
  readonly base: Uint8Array;
}

type Random = (below: number) => number;

/**
 * Opens and reads containers whose manifests were changed value by value and packed again with lengths and checksums
 * that fit; even numbers are of version 1, odd ones of version 2. A mutant's number says all about it.
 */
export async function fuzzContainers({ from, count }: { from: number; count: number }): Promise<FuzzOutcome> {
  const blocks = await seedBlocks();
  const errors: Record<string, number> = {};
  let values = 0;
  let slowestSeconds = 0;
  for (let number = from; number < from + count; number++) {
    const made = mutant(blocks, number < 2 ? undefined : randomOf(number), number % 2 === 0 ? 1 : 2);
    const start = performance.now();
    try {
      await readAll(made);
      values++;
    } catch (error) {
      if (!isPruneError(error) || error.code === 'io') {
        const failure = `mutant ${number}: ${error instanceof Error ? error.stack : String(error)}`;
        return { values, errors, slowestSeconds, failure };
      }
      errors[error.code] = (errors[error.code] ?? 0) + 1;
    }
    slowestSeconds = Math.max(slowestSeconds, (performance.now() - start) / 1000);
  }
  return { values, errors, slowestSeconds };
}

async function readAll({ bytes, base }: Mutant): Promise<void> {
  const { models } = await summarizeContainer(bytes);
  // Every tensor of every model is asked for, whatever another one throws.
  let first: unknown;
  const keep = (error: unknown) => {
    first ??= error;
  };
  for (const { name } of models) {
    await readModel(await openMsgpackStore(bytes, { model: name, openBase: async () => base }), keep);
  }
  if (first !== undefined) throw first;
}

async function readModel(store: MsgpackStore, keep: (error: unknown) => void): Promise<void> {
  for (const name of store.keys()) {
    const info = store.info(name);
    await store.get(name).catch(keep);
    await store.selectRows?.([name], info?.shape[0] ? [0, info.shape[0] - 1] : []).catch(keep);
    if (name.endsWith('.data')) {
      const rows = await store.rows?.(name.slice(0, -'.data'.length)).catch(keep);
      try {
        rows?.forEachRow(() => {});
      } catch (error) {
        keep(error);
      }
    }
  }
  const { files } = store.metadata;
  for (const name of files?.keys() ?? []) await Promise.resolve(files?.get(name)).catch(keep);
}

/** Matrices, a table and other tensors, in a block of each codec that takes them. */
async function seedBlocks(): Promise<Block[]> {
  const counts = [4, 0, 12, 7, 0, 1];
  const indptr = Int32Array.of(0, ...counts.map((_, i) => counts.slice(0, i + 1).reduce((sum, n) => sum + n, 0)));
  const nnz = indptr[counts.length];
  const indices = Uint16Array.from(counts.flatMap((n) => Array.from({ length: n }, (_, i) => 3 * i)));
  const matrix = (name: string): NamedTensor[] => [
    { name: `${name}.int_repr.data`, ...tensor('int8', [nnz], new Int8Array(nnz).fill(5)) },
    { name: `${name}.int_repr.indptr`, ...tensor('int32', [indptr.length], indptr) },
    { name: `${name}.int_repr.indices`, ...tensor('uint16', [nnz], indices) },
  ];
  const floats = Float32Array.from({ length: 96 }, (_, i) => ((i * 37) % 23) / 8);
  const float = (name: string): NamedTensor[] => [{ name, ...tensor('float32', [8, 12], floats) }];
  const at = 'e._packed_params._packed_weight';
  const table: NamedTensor[] = [
    { name: `${at}.scale`, ...tensor('float32', [16], new Float32Array(16).fill(1 / 64)) },
    { name: `${at}.zero_point`, ...tensor('float32', [16], new Float32Array(16).fill(128)) },
    {
      name: `${at}.int_repr`,
      ...tensor(
        'uint8',
        [16, 24],
        Uint8Array.from({ length: 384 }, (_, i) => (i * 7) % 60),
      ),
    },
  ];
  const many = Float32Array.from({ length: 12 * 80 }, (_, i) => ((i * 37) % 23) / 8);
  const rows: NamedTensor[] = [{ name: 'rows', ...tensor('float32', [80, 12], many) }];
  const blocks: Block[] = [];
  for (const [codec, tensors] of [
    [entropyCodec({ preset: 'fast' }), matrix('fast')],
    [entropyCodec({ preset: 'max' }), matrix('max')],
    [entropyCodec(), table],
    [entropyCodec(), float('grid')],
    [rowsCodec(), rows],
    [csrGzip(), matrix('gzipped')],
    [planesGzip(), float('planes')],
    [gzip(), float('packed')],
    [raw(), float('raw')],
  ] as const) {
    blocks.push({ codec: codec.name, tensors, ...(await bytesOf(codec, tensors)) });
  }
  const file = gzipSync('[UNK]\na\n');
  file.fill(0, 4, 10);
  blocks.push({ codec: 'gzip', bytes: Uint8Array.from(file), tensors: [] });
  return blocks;
}

async function bytesOf(codec: Codec, tensors: readonly NamedTensor[]): Promise<Pick<Block, 'bytes' | 'parts'>> {
  const encoded = await codec.encode(tensors);
  if (encoded === undefined) throw new Error(`${codec.name} declines ${tensors[0].name}`);
  if (encoded instanceof Uint8Array) return { bytes: encoded.slice() };
  const pieces: EncodedPiece[] = [];
  // Each piece may be overwritten by the next.
  for await (const piece of encoded) pieces.push({ ...piece, bytes: piece.bytes.slice() });
  const parts = pieces.filter(({ part }) => part).map(({ bytes }) => bytes);
  return { bytes: Buffer.concat(pieces.map(({ bytes }) => bytes)), parts };
}

/** A manifest as it can be changed: JSON's values, maps as pairs. */
type Node = null | boolean | number | string | Uint8Array | Node[] | { pairs: [string, Node][] } | { raw: Uint8Array };

function mutant(all: readonly Block[], next: Random | undefined, version: 1 | 2): Mutant {
  // Version 1 has no parts.
  const blocks = version === 1 ? all.filter(({ parts = [] }) => parts.length === 0) : all;
  const [manifest, based] = version === 1 ? [manifestOne(blocks)] : manifestsTwo(blocks);
  const changes = next === undefined ? 0 : 1 + next(3);
  for (let i = 0; i < changes; i++) change(based !== undefined && next!(8) === 0 ? based : manifest, next!);
  const stored = blocks.map(({ bytes }) => bytes);
  if (based === undefined) {
    return { bytes: forgeContainer(stored, manifest as Packed, 1), base: new Uint8Array(0) };
  }
  // The first block lies in the base.
  const base = forgeContainer(stored.slice(0, 1), based as Packed, 2);
  return { bytes: forgeContainer(stored.slice(1), manifest as Packed, 2), base };
}

const map = (values: Record<string, Node>): Node => ({ pairs: Object.entries(values) });
const sha256 = (bytes: Uint8Array): Node => Uint8Array.from(createHash('sha256').update(bytes).digest());

function manifestOne(blocks: readonly Block[]): Node {
  return { pairs: [['blocks', placed(blocks, 1)], ...(modelOf(blocks) as { pairs: [string, Node][] }).pairs] };
}

/** A file of two models that share their blocks, the first block in a base; and the base. */
function manifestsTwo(blocks: readonly Block[]): [manifest: Node, base: Node] {
  const [first, ...own] = blocks;
  const inBase = { pairs: [['base', 0], ...describedBlock(first, 2)] } as Node;
  const model = (name: string) => {
    return { pairs: [['name', name], ...(modelOf(blocks) as { pairs: [string, Node][] }).pairs] } as Node;
  };
  const manifest = map({
    blocks: [inBase, ...(placed(own, 2) as Node[])],
    bases: [map({ name: 'base.prune' })],
    models: [model('a'), model('b')],
  });
  return [manifest, map({ blocks: placed([first], 2), models: [modelOf([first])] })];
}

function describedBlock({ bytes, codec, tensors, parts = [] }: Block, version: 1 | 2): [string, Node][] {
  const sums = (part: Uint8Array): Record<string, Node> => ({
    length: part.length,
    crc32: crcOf(part),
    ...(version === 2 && { sha256: sha256(part) }),
  });
  return Object.entries({
    codec,
    ...sums(bytes),
    shares: tensors.length === 0 ? [0] : tensors.map(() => 0),
    ...(version === 2 && parts.length > 0 && { parts: parts.map((part) => map(sums(part))) }),
  });
}

function placed(blocks: readonly Block[], version: 1 | 2): Node {
  let offset = 48;
  return blocks.map((block): Node => {
    offset += block.bytes.length;
    return { pairs: [['offset', offset - block.bytes.length], ...describedBlock(block, version)] };
  });
}

function modelOf(blocks: readonly Block[]): Node {
  const entries = blocks.flatMap(({ tensors }, block) =>
    tensors.map(({ name, dtype, shape }) => map({ name, dtype, shape: [...shape], block })),
  );
  entries.push(map({ name: 'm.scale', dtype: 'float64', shape: [], inline: new Uint8Array(8) }));
  entries.push(map({ name: 'm.dtype', dtype: 'string', shape: [], inline: Uint8Array.of(0x71) }));
  const file = blocks.findIndex(({ tensors }) => tensors.length === 0);
  const files = file < 0 ? [] : [map({ name: 'vocab.txt', length: 8, block: file })];
  return map({ entries, files, config: map({ layers: 2, labels: ['a'] }), profile: 'fbgemm' });
}

const NUMBERS = [0, 1, 2, 3, 6, 7, 16, 24, 255, 2 ** 16, 2 ** 24, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53];
const TEXTS = [
  '',
  '__proto__',
  'constructor',
  'raw',
  'gzip',
  'planes-gzip',
  'csr-gzip',
  'rows',
  'entropy',
  'string',
  ...Object.keys(DTYPES),
  'fast.int_repr.data',
  'fast.int_repr.indptr',
  'gzipped.int_repr.indices',
  'x'.repeat(2000),
];

const KEYS = [
  ...['blocks', 'entries', 'files', 'config', 'modules', 'profile', 'name', 'dtype', 'shape', 'inline', 'block'],
  ...['codec', 'offset', 'length', 'crc32', 'shares', '__proto__', 'toString', ''],
  ...['sha256', 'parts', 'base', 'bases', 'models'],
];

function oddValue(next: Random): Node {
  const odd: Node[] = [
    null,
    true,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    new Uint8Array(3),
    [],
    { pairs: [] },
    { pairs: [['toString', 1]] },
    new Array<Node>(9).fill(1),
    // An array of 2^32 - 1 values, an extension type, an integer of 64 bits, a byte that means nothing.
    { raw: Uint8Array.of(0xdd, 255, 255, 255, 255) },
    { raw: Uint8Array.of(0xd6, 255, 0, 0, 0, 0) },
    { raw: Uint8Array.of(0xcf, 255, 255, 255, 255, 255, 255, 255, 255) },
    { raw: Uint8Array.of(0xc1) },
  ];
  const kind = next(4);
  if (kind === 0) return odd[next(odd.length)];
  return kind === 1 ? TEXTS[next(TEXTS.length)] : NUMBERS[next(NUMBERS.length)];
}

/** One change at a random place. */
function change(root: Node, next: Random): void {
  let holder = root;
  for (;;) {
    const inner = childrenOf(holder);
    const child = inner[next(inner.length)];
    // Values without values in them are changed by their holder.
    if (child === undefined || childrenOf(child).length === 0 || next(5) === 0) break;
    holder = child;
  }
  if (Array.isArray(holder)) changeArray(holder, next);
  else if (holder !== null && typeof holder === 'object' && 'pairs' in holder) changeMap(holder.pairs, next);
}

function childrenOf(node: Node): readonly Node[] {
  if (Array.isArray(node)) return node;
  return node !== null && typeof node === 'object' && 'pairs' in node ? node.pairs.map(([, value]) => value) : [];
}

function changeArray(array: Node[], next: Random): void {
  const at = next(array.length);
  const kind = next(6);
  if (kind === 0) array.splice(at, 1);
  else if (kind === 1) array.push(renamed(array[at], next));
  else if (kind === 2) array.splice(at, 0, array[next(array.length)]);
  else if (kind === 3) [array[at], array[0]] = [array[0], array[at]];
  else array[at] = near(array[at], next);
}

function changeMap(pairs: [string, Node][], next: Random): void {
  const at = next(pairs.length);
  const [key, value] = pairs[at];
  const kind = next(8);
  if (kind === 0) pairs.splice(at, 1);
  else if (kind === 1) pairs.push([key, next(2) === 0 ? value : oddValue(next)]);
  else if (kind === 2) pairs[at] = [KEYS[next(KEYS.length)], next(2) === 0 ? value : oddValue(next)];
  else if (kind === 3) pairs[at] = [key, pairs[next(pairs.length)][1]];
  else pairs[at] = [key, near(value, next)];
}

/** A copy under a name of its own, with one more change. */
function renamed(node: Node, next: Random): Node {
  const copy = structuredClone(node);
  if (copy === null || typeof copy !== 'object' || !('pairs' in copy)) return copy;
  copy.pairs = copy.pairs.map(([key, value]) => [key, key === 'name' ? `copy ${next(1000)}` : value]);
  changeMap(copy.pairs, next);
  return copy;
}

/** A value of the same type in one of two changes: shapes, numbers of blocks and dtypes that could be true. */
function near(value: Node, next: Random): Node {
  if (next(2) === 0) return oddValue(next);
  if (typeof value === 'number')
    return next(2) === 0 ? Math.max(0, value + next(5) - 2) : NUMBERS[next(NUMBERS.length)];
  return typeof value === 'string' ? TEXTS[next(TEXTS.length)] : oddValue(next);
}

/** A deterministic generator (mulberry32). */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return below === 0 ? 0 : ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
