import type { Pacer, TensorData } from '@prune/core';
import { corrupt } from '../corrupt.js';
import { dyadicGrid, MAX_GRID_BITS } from '../dyadic-grid.js';
import { foldedOrigin, unfoldedOrigin } from '../folded.js';
import { readMeans } from '../grid-rows.js';
import { readLevels } from '../value-table.js';
import type { ByteReader } from '../varint.js';
import type { FormReader } from './directory.js';
import { fitIntegerRows, MAX_CLASSES } from './integer-rows.js';
import { LANES, type Lanes } from './lanes.js';
import { FORMS, type RowDecoder, type RowEncoder, type RowMemory } from './row-form.js';
import { SlotCoder } from './slot-coder.js';
import { MAX_SYMBOLS, slotTables } from './slot-tables.js';

/** float32 rows that are on a grid of 2^-n; `undefined` for others. */
export async function encodeGridForm(
  values: Float32Array,
  rows: number,
  width: number,
  pacer: Pacer,
): Promise<RowEncoder | undefined> {
  const grid = await dyadicGrid(values, Math.min(MAX_SYMBOLS, values.length / 4), pacer);
  if (grid === undefined) return undefined;
  const scale = 2 ** grid.bits;
  const { origin } = grid;
  const zero = grid.negativeZero ? grid.alphabet - 1 : -1;
  const read = (row: number, into: Uint16Array) => {
    const start = row * width;
    for (let c = 0; c < width; c++) into[c] = values[start + c] * scale - origin;
    if (zero >= 0) for (let c = 0; c < width; c++) if (Object.is(values[start + c], -0)) into[c] = zero;
    return true;
  };
  const fitted = await fitIntegerRows({ rows, width, read }, pacer);
  const symbols = new Uint16Array(width);
  const { lowest, alphabet, classCounts, counts } = fitted;
  return {
    form: FORMS.grid,
    coder: new SlotCoder([classCounts, ...counts]),
    rawBytes: 0,
    symbols: 1 + width,
    // The differences are counted from 0 on, so the least of them belongs to the origin.
    numbers: [grid.bits, foldedOrigin(origin + lowest), alphabet, zero < 0 ? 0 : zero - lowest + 1, counts.length],
    writeModel: fitted.writeModel,
    encodeRow(row, group) {
      read(row, symbols);
      fitted.encodeRow(row, symbols, group);
    },
  };
}

/** The decoder of {@link encodeGridForm}. Throws `corrupt`. */
export function openGridForm({ reader, model, room }: FormReader, width: number): RowDecoder {
  const step = 2 ** -reader.varint('bits of the grid', MAX_GRID_BITS);
  const origin = unfoldedOrigin(reader.varint('origin of the grid', 2 ** 40));
  const alphabet = reader.varint('alphabet', MAX_SYMBOLS);
  const zero = reader.varint('integer of -0', 2 * MAX_SYMBOLS) - 1;
  const classes = classesOf(reader);
  const coder = model();
  const mean = readMeans(coder, width, MAX_SYMBOLS);
  const levels = [readLevels(coder, classes)];
  for (let c = 0; c < classes; c++) levels.push(readLevels(coder, alphabet));
  coder.finish();
  const tables = slotTables(levels, room);
  const values = Float32Array.from({ length: mean.reduce((most, m) => Math.max(most, m), 0) + alphabet }, (_, k) =>
    k === zero ? -0 : (k + origin) * step,
  );
  return { width, rawBytes: 0, tables, memory: (rows) => gridMemory(values, mean, width, rows) };
}

/** How many classes of rows there are. */
function classesOf(reader: ByteReader): number {
  const classes = reader.varint('classes of rows', MAX_CLASSES);
  if (classes === 0) throw corrupt('classes of rows', 0, 'at least 1');
  return classes;
}

function gridMemory(values: Float32Array, mean: Int32Array, width: number, rows: number): RowMemory {
  const out = new Float32Array(rows * width);
  const symbols = new Uint16Array(LANES * width);
  return {
    arrays: [out as TensorData],
    decodeRows(lanes: Lanes, count: number) {
      for (let lane = 0; lane < count; lane++) lanes.choose(lane, 1 + lanes.symbol(lane, 0));
      if (count === LANES) return lanes.floatsOfFour(width, mean, values, out);
      lanes.field(count, width, symbols);
      for (let lane = 0; lane < count; lane++) {
        toFloats(symbols, lane * width, values, mean, out, lanes.row[lane] * width);
      }
    },
  };
}

function toFloats(
  symbols: Uint16Array,
  from: number,
  values: Float32Array,
  mean: Int32Array,
  out: Float32Array,
  to: number,
): void {
  for (let c = 0; c < mean.length; c++) out[to + c] = values[symbols[from + c] + mean[c]];
}
