import { type CsrMatrix, DEFAULT_LIMITS, isPruneError, type NamedTensor, tensor, tensorBytes } from '@prune/core';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { csrOf, prunedMatrix, randomOf } from '../csr.fixture.js';
import { encodeCsr, type Preset } from '../encode-csr.js';
import { forgeMatrix } from '../forge.fixture.js';
import { openCsr } from '../open-csr.js';
import { floatTable, quantizedTensors, type StoredBlock, storedBlock } from '../rows/rows.fixture.js';
import { rowsCodec } from '../rows/rows-codec.js';
import { MAX_COLUMNS, MAX_WIDTH } from './layout.js';
import { type WasmLoops, wasmLoops } from './wasm-loops.js';

/** PRUNE_FUZZ multiplies the number of mutants. */
const FACTOR = Number(process.env.PRUNE_FUZZ ?? 1);

const switched = vi.hoisted(() => ({ on: true }));
vi.mock('./wasm-loops.js', async (original) => {
  const actual = await original<typeof import('./wasm-loops.js')>();
  return { wasmLoops: () => (switched.on ? actual.wasmLoops() : undefined) };
});

const random = randomOf(57);
const pick = (below: number) => Math.floor(below * random());
const gaussian = () => random() + random() + random() + random() - 2;
const onGrid = () => Math.round(20 * gaussian()) / 64 + 0;

beforeEach(() => {
  switched.on = true;
});

/** Calls of each loop while `work` goes on. */
async function callsIn(work: () => unknown): Promise<Record<string, number>> {
  const loops = wasmLoops() as WasmLoops;
  const names = ['decodeFourLanes', 'joinFour', 'decodeMasks', 'decodeValues', 'decodeContextValues'] as const;
  const spies = names.map((name) => vi.spyOn(loops, name));
  await work();
  const calls = Object.fromEntries(names.map((name, i) => [name, spies[i].mock.calls.length]));
  vi.restoreAllMocks();
  return calls;
}

/** What comes of it: bytes as text, or the error's code and message. */
async function outcome(decode: () => unknown): Promise<string> {
  try {
    return JSON.stringify(await decode(), (_, value) =>
      ArrayBuffer.isView(value) ? `${value.constructor.name} ${hashOf(value)}` : value,
    );
  } catch (error) {
    if (isPruneError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** FNV-1a of the bytes. */
function hashOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${byteLength}:${hash >>> 0}`;
}

/** The outcome, which must be the same with both kinds of loops. */
async function sameOutcome(decode: () => unknown): Promise<string> {
  switched.on = true;
  const own = await outcome(decode);
  switched.on = false;
  const typescript = await outcome(decode);
  switched.on = true;
  if (own !== typescript) expect(own).toBe(typescript);
  return own;
}

/** One to three changes: a bit, a byte, or bytes that another place has. */
function mutated(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  for (let changes = 1 + pick(3); changes > 0; changes--) {
    const at = pick(out.length);
    if (pick(3) === 0) out.copyWithin(at, pick(out.length), pick(out.length));
    else out[at] = pick(2) === 0 ? out[at] ^ (1 << pick(8)) : pick(256);
  }
  return out;
}

describe('matrices', () => {
  const PRESETS: readonly Preset[] = ['fast', 'max'];
  // Values are smaller in dense rows: contexts pay for them.
  const even = prunedMatrix(401, 703, 0.4, 3);
  const tilted = { ...even, data: even.data.slice() };
  for (let row = 0; row < 401; row++) {
    const own = tilted.data.subarray(even.indptr[row], even.indptr[row + 1]);
    if (own.length > 230) own.set(own.map((value) => Math.sign(value) * Math.ceil(Math.abs(value) / 16)));
  }
  const matrices: [string, CsrMatrix][] = [
    ['no-rows', csrOf([], 5)],
    ['no-nonzeros', prunedMatrix(40, 30, 0, 1)],
    ['one-value', csrOf([[0, 0, -128]])],
    ['one-block', prunedMatrix(61, 97, 0.2, 2)],
    ['odd-number-of-blocks', prunedMatrix(401, 703, 0.25, 3)],
    ['values-by-density', tilted],
    ['two-blocks', prunedMatrix(293, 512, 0.2, 4)],
    ['dense', prunedMatrix(150, 251, 10, 5)],
    ['sparse-and-wide', prunedMatrix(40, 4099, 0.004, 6)],
  ];

  test.each(matrices)('%s: whole, by rows, and row by row', async (_, matrix) => {
    for (const preset of PRESETS) {
      const bytes = encodeCsr(matrix, { preset });
      const [rows] = matrix.shape;
      const whole = await sameOutcome(() => openCsr(bytes).decode());
      expect(whole).toBe(await outcome(() => matrix));
      await sameOutcome(() => openCsr(bytes).decodeRows(Math.floor(rows / 3), Math.ceil((2 * rows) / 3)));
      await sameOutcome(() => {
        const seen: string[] = [];
        openCsr(bytes).forEachRow((row, indices, data, start, end) => {
          seen.push(`${row} ${hashOf(indices.subarray(start, end))} ${hashOf(data.subarray(start, end))}`);
        });
        return seen;
      });
    }
  });

  test('the WebAssembly is what decodes them, and leaves what there is no room for', async () => {
    const fast = encodeCsr(tilted, { preset: 'fast' });
    const pairs = Math.ceil(openCsr(fast).blocks.length / 2);
    expect(pairs).toBeGreaterThan(1);
    expect(await callsIn(() => openCsr(fast).decode())).toMatchObject({ decodeMasks: pairs, decodeContextValues: 0 });
    const max = encodeCsr(tilted, { preset: 'max' });
    expect((await callsIn(() => openCsr(max).decode())).decodeContextValues).toBeGreaterThan(0);
    const wide = encodeCsr(prunedMatrix(40, MAX_COLUMNS + 1, 0.004, 7));
    expect(await callsIn(() => openCsr(wide).decode())).toMatchObject({ decodeMasks: 0 });
    await sameOutcome(() => openCsr(wide).decode());
  });

  test('streams that are read in turns, and one that is read while another is', () => {
    const [one, two] = [prunedMatrix(300, 200, 0.6, 8), prunedMatrix(280, 240, 0.5, 9)].map((m) =>
      openCsr(encodeCsr(m)),
    );
    const rowsOf = (stream: typeof one, inside: () => void) => {
      const seen: string[] = [];
      stream.forEachRow((row, indices, data, start, end) => {
        if (row % 50 === 0) inside();
        seen.push(hashOf(indices.subarray(start, end)) + hashOf(data.subarray(start, end)));
      });
      return seen;
    };
    const alone = rowsOf(one, () => {});
    expect(rowsOf(one, () => two.decode())).toEqual(alone);
    expect(one.decodeRows(0, 10)).toEqual(openCsr(encodeCsr(prunedMatrix(300, 200, 0.6, 8))).decodeRows(0, 10));
  });

  test('coders that start below their range, and would end where they should', async () => {
    // One row, one column of one slot, one nonzero, one magnitude: a state of 0 decodes it, and takes one word.
    const words = (...all: number[]) => new Uint8Array(Uint16Array.from(all).buffer);
    const [mask, values] = [words(0, 2048, 0x8000), words(0, 0x8000, 0, 0x8000)];
    const low = { mask: words(0, 0, 0x8000), values: words(0, 0, 0, 0x8000, 0x8000) };
    const levels = new Uint16Array(128).fill(1, 0, 1);
    const one = Uint8Array.of(1);
    const forged = (block: { mask: Uint8Array; values: Uint8Array }) =>
      forgeMatrix({
        ...{ form: 'fast', rows: 1, columns: 1, nnz: 1, levels },
        ...{ columnClass: one, rowClass: one, blocks: [{ rows: 1, nnz: 1, ...block }] },
      });
    for (const block of [low, { ...low, mask }, { ...low, values }]) {
      const result = await sameOutcome(() => openCsr(forged(block)).decode());
      expect(result).toMatch(/^corrupt: .*(starts outside its range|does not end)/);
    }
  });

  test('mutants: the same matrix, or an error of the same words', async () => {
    const streams = PRESETS.flatMap((preset) =>
      [prunedMatrix(97, 131, 0.05, 3), prunedMatrix(60, 70, 0.2, 1), prunedMatrix(200, 400, 0.5, 2)].map((matrix) =>
        encodeCsr(matrix, { preset }),
      ),
    );
    streams.push(encodeCsr(tilted, { preset: 'max' }));
    let refused = 0;
    for (let i = 0; i < 300 * FACTOR; i++) {
      const bytes = mutated(streams[i % streams.length]);
      if ((await sameOutcome(() => openCsr(bytes).decode())).startsWith('corrupt')) refused++;
    }
    expect(refused).toBeGreaterThan(150 * FACTOR);
    expect(refused).toBeLessThan(300 * FACTOR);
  });
});

describe('rows', () => {
  const codec = rowsCodec();
  const halves = (rows: number, width: number): NamedTensor => {
    const data = new Uint16Array(rows * width).map(() => 0x3000 + pick(500));
    return { name: 'x', ...tensor('float16', [rows, width], data) };
  };
  const tables: [string, () => NamedTensor[]][] = [
    ['grid', () => [floatTable(603, 40, onGrid)]],
    ['grid-with-negative-zero', () => [floatTable(730, 33, () => (pick(9) === 0 ? -0 : onGrid()))]],
    ['planes', () => [floatTable(231, 37, gaussian)]],
    ['planes-mostly-raw', () => [floatTable(270, 24, () => 1 + random())]],
    ['halves', () => [halves(390, 51)]],
    ['codes', () => quantizedTensors(650, 40, 255, onGrid)],
    ['codes-of-four-bits', () => quantizedTensors(850, 40, 15, onGrid)],
    ['codes-on-no-grid', () => quantizedTensors(690, 40, 255, (i) => (Math.floor(i / 40) % 3 ? gaussian() : onGrid()))],
    ['one-column', () => [floatTable(20_000, 1, onGrid)]],
    ['a-row-a-group', () => [floatTable(70, 4001, onGrid)]],
    ['too-wide', () => [floatTable(64, MAX_WIDTH + 1, onGrid)]],
  ];
  const stored = async (tensors: NamedTensor[]): Promise<StoredBlock> => {
    const block = await storedBlock(codec, tensors);
    if (block === undefined) throw new Error('declined');
    return block;
  };

  test.each(tables)('%s', async (name, make) => {
    const tensors = make();
    const { bytes } = await stored(tensors);
    await sameOutcome(() => codec.decode(bytes, tensors, DEFAULT_LIMITS));
    const back = await codec.decode(bytes, tensors, DEFAULT_LIMITS);
    for (const [i, given] of tensors.entries()) {
      expect(Buffer.compare(tensorBytes(back[i]), tensorBytes(given))).toBe(0);
    }
    const calls = await callsIn(() => codec.decode(bytes, tensors, DEFAULT_LIMITS));
    if (name === 'too-wide') expect(calls.decodeFourLanes).toBe(0);
    else expect(calls.decodeFourLanes).toBeGreaterThan(0);
    expect(calls.joinFour > 0).toBe(name.startsWith('planes'));
  });

  test('tables that are decoded in turns', async () => {
    const all = tables.slice(0, 8).map(([, make]) => make());
    const blocks = await Promise.all(all.map(stored));
    const decode = (i: number) => codec.decode(blocks[i].bytes, all[i], DEFAULT_LIMITS);
    const alone: string[] = [];
    for (const i of all.keys()) alone.push(await outcome(() => decode(i)));
    expect(await Promise.all([...all.keys()].map((i) => outcome(() => decode(i))))).toEqual(alone);
  });

  test('mutants: the same tensors, or an error of the same words', async () => {
    const all = tables.slice(0, 8).map(([, make]) => make());
    const blocks = await Promise.all(all.map(stored));
    let refused = 0;
    for (let i = 0; i < 300 * FACTOR; i++) {
      const { bytes, parts } = blocks[i % all.length];
      const directory = bytes.length - parts[0] - parts[1];
      const mutant = bytes.slice();
      const [from, to] = pick(2) === 0 ? [0, directory] : [bytes.length - parts[1], bytes.length];
      mutant.set(mutated(bytes.subarray(from, to)), from);
      const result = await sameOutcome(() => codec.decode(mutant, all[i % all.length], DEFAULT_LIMITS));
      if (result.startsWith('corrupt')) refused++;
    }
    expect(refused).toBeGreaterThan(150 * FACTOR);
    expect(refused).toBeLessThan(300 * FACTOR);
  });
});
