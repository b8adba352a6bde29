import { csrFault, DEFAULT_LIMITS, isPruneError, type NamedInfo, Pacer } from '@prune/core';
import { expect, test } from 'vitest';
import { csrOf, prunedMatrix, randomOf } from './csr.fixture.js';
import { encodeCsr } from './encode-csr.js';
import { entropyCodec } from './entropy-codec.js';
import { encodeFloats } from './float-block.js';
import { joined } from './joined.js';
import { openCsr } from './open-csr.js';
import { encodeTable } from './table-block.js';

/** PRUNE_FUZZ multiplies the number of mutated streams. */
const FACTOR = Number(process.env.PRUNE_FUZZ ?? 1);

/** One to four changes: a bit, a byte, a cut, a few bytes taken out or doubled. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  let out = bytes.slice();
  const pick = (n: number) => Math.floor(n * random());
  for (let changes = 1 + pick(4); changes > 0 && out.length > 0; changes--) {
    // Half of the changes hit the head, where the structure is.
    const at = random() < 0.5 ? pick(Math.min(out.length, 24)) : pick(out.length);
    switch (pick(5)) {
      case 0:
        out[at] ^= 1 << pick(8);
        break;
      case 1:
        out[at] = pick(256);
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + 1 + pick(3))]);
        break;
      default:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.max(0, at - 2))]);
    }
  }
  return out;
}

/** Runs `decode`; a PruneError is an answer, anything else is not. */
async function outcome(decode: () => unknown): Promise<'decoded' | string> {
  try {
    await decode();
    return 'decoded';
  } catch (error) {
    if (isPruneError(error) && (error.code === 'corrupt' || error.code === 'limit')) return error.code;
    throw error;
  }
}

const matrices = [
  prunedMatrix(12, 16, 0.2, 1),
  prunedMatrix(40, 33, 0.05, 2),
  prunedMatrix(9, 70, 0.9, 3),
  prunedMatrix(64, 48, 0.5, 4),
  csrOf([[1, 2, 3]]),
  prunedMatrix(20, 20, 0, 5),
];

test.each(['fast', 'max'] as const)(
  'mutated matrices, preset %s: an error or a valid matrix of the declared shape',
  async (preset) => {
    const random = randomOf(preset === 'fast' ? 17 : 18);
    const streams = matrices.map((matrix) => encodeCsr(matrix, { preset }));
    const limits = { ...DEFAULT_LIMITS, tensorBytes: 1 << 16 };
    const seen = new Map<string, number>();
    for (let i = 0; i < 50_000 * FACTOR; i++) {
      const bytes = mutated(streams[i % streams.length], random);
      const result = await outcome(() => {
        const stream = openCsr(bytes, { limits });
        const matrix = stream.decode();
        const fault = csrFault(matrix);
        if (fault !== undefined) throw new Error(`an invalid matrix came out: ${fault.what}`);
        if (matrix.shape.join() !== stream.shape.join() || matrix.data.length !== stream.nnz)
          throw new Error('another shape');
      });
      seen.set(result, (seen.get(result) ?? 0) + 1);
    }
    expect(seen.get('corrupt')).toBeGreaterThan(25_000 * FACTOR);
    expect(seen.get('limit')).toBeGreaterThan(0);
  },
);

test('mutated dense blocks: an error or the declared elements', async () => {
  const random = randomOf(19);
  const rows = 20;
  const width = 12;
  const floats = Float32Array.from({ length: rows * width }, () => random() - 0.5);
  const grid = floats.map((value) => Math.round(value * 64) / 64);
  const halves = floats.map((value) => Math.round(value * 1024) / 1024);
  const scale = Float32Array.from({ length: rows }, (_, r) => Math.fround((40 + r) / 256 / 255));
  const zeroPoint = scale.map((s) => Math.fround(20 / 256 / s));
  const intRepr = Uint8Array.from({ length: rows * width }, () => 256 * random());
  const codec = entropyCodec();
  const float: NamedInfo[] = [{ name: 'x', dtype: 'float32', shape: [rows, width] }];
  const at = 'e._packed_params._packed_weight';
  const table: NamedInfo[] = [
    { name: `${at}.scale`, dtype: 'float32', shape: [rows] },
    { name: `${at}.zero_point`, dtype: 'float32', shape: [rows] },
    { name: `${at}.int_repr`, dtype: 'uint8', shape: [rows, width] },
  ];
  const blocks: [Uint8Array, NamedInfo[]][] = [];
  for (const data of [floats, grid, halves]) {
    const parts = await encodeFloats({ dtype: 'float32', shape: [rows, width], data }, new Pacer());
    blocks.push([joined([], parts), float]);
  }
  for (const quantized of [{ scale, zeroPoint, intRepr }, ofFourBits(rows, width, random)]) {
    blocks.push([joined([], await encodeTable(quantized, new Pacer())), table]);
  }
  let refused = 0;
  for (let i = 0; i < 20_000 * FACTOR; i++) {
    const [bytes, infos] = blocks[i % blocks.length];
    const result = await outcome(async () => {
      const tensors = await codec.decode(mutated(bytes, random), infos, DEFAULT_LIMITS);
      const lengths = tensors.map(({ data }) => data.length);
      if (lengths.join() !== infos.map(({ shape }) => shape.reduce((a, b) => a * b)).join())
        throw new Error('other lengths');
    });
    if (result === 'corrupt') refused++;
  }
  expect(refused).toBeGreaterThan(10_000 * FACTOR);
});

/** Rows of a grid whose codes lie around their zero points. */
function ofFourBits(rows: number, width: number, random: () => number) {
  const minimum = Array.from({ length: rows }, () => Math.floor(-100 * random()) / 64);
  const scale = Float32Array.from({ length: rows }, (_, r) => (100 + r) / 64 / 15);
  const zeroPoint = scale.map((s, r) => -minimum[r] / s);
  const code = (r: number) => Math.min(15, Math.round(zeroPoint[r] + random()));
  const intRepr = Uint8Array.from({ length: rows * width }, (_, i) => code(Math.floor(i / width)) * 17);
  return { scale, zeroPoint, intRepr };
}

test('a head that promises much is refused before anything is allocated', async () => {
  const huge = [255, 255, 255, 255, 7];
  for (const form of [0, 1, 2]) {
    for (const head of [
      [form, ...huge, 1, 0],
      [form, 1, ...huge, 0],
      [form, ...huge, ...huge, ...huge],
      [form, 1, 100, 100, ...huge, 1],
    ]) {
      const before = process.memoryUsage().arrayBuffers;
      expect(['corrupt', 'limit', 'decoded']).toContain(
        await outcome(() => openCsr(Uint8Array.from(head), { limits: { ...DEFAULT_LIMITS, tensorBytes: 1e6 } })),
      );
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8e6);
    }
  }
});
