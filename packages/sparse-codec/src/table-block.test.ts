import { Pacer } from '@prune/core';
import { expect, test } from 'vitest';
import { randomOf } from './csr.fixture.js';
import { joined } from './joined.js';
import { decodeTable, encodeTable, type QuantizedTable } from './table-block.js';

/** PyTorch's row-wise quantization (numerics as in `@prune/quant`), written once more so that the block is not tested with its own code. */
function quantized(rows: readonly (readonly number[])[], most = 255): QuantizedTable {
  const width = rows[0]?.length ?? 0;
  const scale = new Float32Array(rows.length);
  const zeroPoint = new Float32Array(rows.length);
  const intRepr = new Uint8Array(rows.length * width);
  rows.forEach((row, r) => {
    const values = Float32Array.from(row);
    const min = Math.min(...values);
    const range = Math.fround(Math.max(...values) - min);
    scale[r] = range <= 2 ** -23 ? 1 : Math.fround(range / most);
    zeroPoint[r] = Math.fround(-min / scale[r]);
    values.forEach((w, i) => {
      const q = Math.fround(Math.fround(w * Math.fround(1 / scale[r])) + zeroPoint[r]);
      const floor = Math.floor(q);
      const even = q - floor === 0.5 ? floor + (floor % 2) : Math.round(q);
      intRepr[r * width + i] = Math.max(0, Math.min(most, even));
    });
  });
  return { scale, zeroPoint, intRepr };
}

async function roundTrip(table: QuantizedTable): Promise<number> {
  const rows = table.scale.length;
  const bytes = joined([], await encodeTable(table, new Pacer()));
  expect(await decodeTable(bytes, rows, rows === 0 ? 0 : table.intRepr.length / rows, new Pacer())).toEqual(table);
  return bytes.length;
}

const gaussian = (random: () => number) => random() + random() + random() + random() - 2;

test('no rows, no columns, one element', async () => {
  await roundTrip(quantized([]));
  await roundTrip(quantized([[], []]));
  await roundTrip(quantized([[0.5]]));
});

test('a table that was on a grid of 1/256 costs the entropy of the grid, scales and zero points nothing', async () => {
  const random = randomOf(1);
  const rows = Array.from({ length: 300 }, () =>
    Array.from({ length: 128 }, () => Math.round(20 * gaussian(random)) / 256),
  );
  // sqrt(4 / 12) * 20 steps of standard deviation is 5.6 bits; 8 bits and 8 bytes a row as they are.
  expect(await roundTrip(quantized(rows))).toBeLessThan((300 * 128 * 5.7) / 8);
});

test('rows that spread differently around means that differ take less than one distribution allows', async () => {
  const random = randomOf(9);
  const center = Array.from({ length: 64 }, () => Math.round(8 * gaussian(random)));
  const rows = Array.from({ length: 600 }, (_, r) =>
    center.map((c) => (c + Math.round((r % 3 === 0 ? 30 : 4) * gaussian(random))) / 128),
  );
  // 0.577 x 30 and 0.577 x 4 steps of standard deviation: 6.2 and 3.3 bits.
  expect(await roundTrip(quantized(rows))).toBeLessThan((600 * 64 * (6.2 + 2 * 3.3) * 1.06) / 3 / 8);
});

test('rows off the grid among rows on it come back bit for bit', async () => {
  const random = randomOf(2);
  const rows = Array.from({ length: 300 }, (_, r) =>
    Array.from({ length: 64 }, () => (r % 17 === 3 ? gaussian(random) : Math.round(20 * gaussian(random)) / 256)),
  );
  rows[7].fill(0.25);
  rows[8].fill(0);
  const table = quantized(rows);
  table.zeroPoint[20] = Number.NaN;
  table.scale[21] = Number.POSITIVE_INFINITY;
  table.scale[22] = -1;
  table.zeroPoint[23] = -0;
  table.intRepr[24 * 64 + 5] ^= 1;
  expect(await roundTrip(table)).toBeLessThan(300 * 64 * 0.85);
});

/** Two codes of 4 bits a byte. */
function nibbles({ scale, zeroPoint, intRepr }: QuantizedTable): QuantizedTable {
  const packed = Uint8Array.from({ length: intRepr.length / 2 }, (_, i) => intRepr[2 * i] | (intRepr[2 * i + 1] << 4));
  return { scale, zeroPoint, intRepr: packed };
}

test('4 bits: rows that were on a grid say their minimum and range, and codes lie around the zero point', async () => {
  const random = randomOf(4);
  const [rows, width] = [2000, 64];
  // Most elements near 0, the range of a row by a few: codes lie around that of 0, the zero point.
  const onGrid = Array.from({ length: rows }, () =>
    Array.from({ length: width }, () => Math.round(40 * gaussian(random) ** 3) / 256 + 0),
  );
  const table = nibbles(quantized(onGrid, 15));
  const size = await roundTrip(table);
  // A value off the grid: scales and zero points are floats again, which takes 2 bytes a row more at least.
  const off = { ...table, scale: table.scale.slice() };
  off.scale[5] *= 1 + 2 ** -20;
  expect((await roundTrip(off)) - size).toBeGreaterThan(2 * rows);
  // Rows whose zero points say nothing of their codes.
  const apart = { ...table, zeroPoint: table.zeroPoint.map((_, r) => table.zeroPoint[(r + 1) % rows]) };
  expect((await roundTrip(apart)) - (await roundTrip(off))).toBeGreaterThan(0.01 * size);
});

test('4 bits: ranges of 0, a minimum of 0, and numbers that no quantizer makes', async () => {
  const flat = quantized(
    [
      [0, 0],
      [0.5, 0.5],
      [-3, -3],
      [0, 1],
      [-1, 0],
    ],
    15,
  );
  await roundTrip(nibbles(flat));
  for (const strange of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, -0, 1e30]) {
    await roundTrip(nibbles({ ...flat, scale: flat.scale.map((scale, r) => (r === 3 ? strange : scale)) }));
    await roundTrip(nibbles({ ...flat, zeroPoint: flat.zeroPoint.map((zero, r) => (r === 3 ? strange : zero)) }));
  }
});

test('any codes', async () => {
  const random = randomOf(3);
  await roundTrip({
    scale: Float32Array.from({ length: 50 }, () => random()),
    zeroPoint: Float32Array.from({ length: 50 }, () => 255 * random()),
    intRepr: Uint8Array.from({ length: 50 * 30 }, () => 256 * random()),
  });
});
