import { DTYPES, type Dtype, inBlocks, type Pacer, type TensorData } from '@prune/core';
import { corrupt } from '../corrupt.js';
import { narrow, widen } from '../float-block.js';
import { readLevels } from '../value-table.js';
import type { FormReader } from './directory.js';
import { LANES, type Lanes } from './lanes.js';
import { FORMS, type RowDecoder, type RowEncoder, type RowMemory } from './row-form.js';
import { entropyBits, SlotCoder } from './slot-coder.js';
import { slotTables } from './slot-tables.js';

/** What the planes are bytes of. */
const KINDS = { elements: 0, halves: 1 } as const;

/**
 * The part of its bytes that a plane must lose to be coded. The upper fraction bits of floats that lie around 0 lose
 * some thousandths, and as many symbols more are to be decoded.
 */
const LEAST_GAIN = 0.01;

/** Rows of floats by planes of bytes, each coded by its own frequencies or raw. */
export async function encodePlanesForm(
  data: TensorData,
  dtype: Dtype,
  rows: number,
  width: number,
  pacer: Pacer,
): Promise<RowEncoder> {
  const halves = dtype === 'float32' && (await allHalves(data as Float32Array, rows, width, pacer));
  const planes = halves ? 2 : DTYPES[dtype].bytes;
  const kind = halves ? KINDS.halves : KINDS.elements;
  const words = wordsOfRows(data, dtype, width, halves);
  const counts = Array.from({ length: planes }, () => new Int32Array(256));
  const countRows = (from: number, to: number) => {
    for (let row = from; row < to; row++) {
      const own = words(row);
      for (let p = 0; p < planes; p++) {
        const shift = 8 * (planes - 1 - p);
        const count = counts[p];
        for (let c = 0; c < width; c++) count[(own[c] >>> shift) & 255]++;
      }
    }
  };
  await inBlocks(rows, pacer, countRows, width);
  const isCoded = counts.map((own) => entropyBits(own) < 8 * (1 - LEAST_GAIN) * rows * width);
  const coded = isCoded.filter(Boolean).length;
  const symbols = new Uint16Array(width);
  return {
    form: FORMS.planes,
    coder: new SlotCoder(counts.filter((_, p) => isCoded[p])),
    rawBytes: (planes - coded) * width,
    symbols: coded * width,
    numbers: [kind, isCoded.reduce((mask, is, p) => mask + (is ? 2 ** p : 0), 0)],
    encodeRow(row, group) {
      const own = words(row);
      let table = 0;
      for (let p = 0; p < planes; p++) {
        const shift = 8 * (planes - 1 - p);
        for (let c = 0; c < width; c++) symbols[c] = (own[c] >>> shift) & 255;
        if (isCoded[p]) group.pushField(table++, symbols, width);
        else for (let c = 0; c < width; c++) group.pushRaw(symbols[c]);
      }
    },
  };
}

async function allHalves(values: Float32Array, rows: number, width: number, pacer: Pacer): Promise<boolean> {
  let all = true;
  const halves = new Uint16Array(width);
  const check = (from: number, to: number) => {
    for (let row = from; all && row < to; row++) {
      all = narrow(values.subarray(row * width, (row + 1) * width), halves, 0, width);
    }
  };
  await inBlocks(rows, pacer, check, width);
  return all;
}

/** The elements of a row as the integers whose bytes are coded. */
function wordsOfRows(
  data: TensorData,
  dtype: Dtype,
  width: number,
  halves: boolean,
): (row: number) => Uint32Array | Uint16Array {
  if (halves) {
    const values = data as Float32Array;
    const words = new Uint16Array(width);
    return (row) => {
      narrow(values.subarray(row * width, (row + 1) * width), words, 0, width);
      return words;
    };
  }
  if (dtype !== 'float32') return (row) => (data as Uint16Array).subarray(row * width, (row + 1) * width);
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const rotated = new Uint32Array(width);
  return (row) => {
    for (let c = 0, i = row * width; c < width; c++, i++) rotated[c] = (bits[i] << 1) | (bits[i] >>> 31);
    return rotated;
  };
}

/** The decoder of {@link encodePlanesForm}. Throws `corrupt`. */
export function openPlanesForm({ reader, model, room }: FormReader, width: number, dtype: Dtype): RowDecoder {
  const kind = reader.varint('kind of planes', KINDS.halves);
  if (kind === KINDS.halves && dtype !== 'float32') throw corrupt('kind of planes', `halves for ${dtype}`, 'elements');
  const planes = kind === KINDS.halves ? 2 : DTYPES[dtype].bytes;
  const mask = reader.varint('coded planes', 2 ** planes - 1);
  const isCoded = Array.from({ length: planes }, (_, p) => ((mask >> p) & 1) === 1);
  const coder = model();
  const levels = isCoded.filter(Boolean).map(() => readLevels(coder, 256));
  coder.finish();
  return {
    width,
    rawBytes: isCoded.filter((is) => !is).length * width,
    tables: slotTables(levels, room),
    memory: (rows) => planesMemory(isCoded, kind, dtype, width, rows),
  };
}

/** One plane of the row of a lane: where it lies, and from which element on. */
interface Plane {
  source: Uint8Array | Uint16Array;
  start: number;
}

function planesMemory(isCoded: readonly boolean[], kind: number, dtype: Dtype, width: number, rows: number): RowMemory {
  const data = new DTYPES[dtype].array(rows * width) as TensorData;
  const fields = isCoded.filter(Boolean).map(() => new Uint16Array(LANES * width));
  const planes = isCoded.map((): Plane => ({ source: new Uint8Array(0), start: 0 }));
  const halves = new Uint16Array(width);
  const bits = dtype === 'float32' ? new Uint32Array(data.buffer) : new Uint32Array(0);
  return {
    arrays: [data],
    decodeRows(lanes: Lanes, count: number) {
      if (count === LANES && planes.length === 4 && lanes.floatsOfPlanes(width, isCoded, bits)) return;
      for (let table = 0; table < fields.length; table++) {
        for (let lane = 0; lane < count; lane++) lanes.choose(lane, table);
        lanes.field(count, width, fields[table]);
      }
      for (let lane = 0; lane < count; lane++) {
        let table = 0;
        for (let p = 0; p < planes.length; p++) {
          if (isCoded[p]) {
            planes[p].source = fields[table++];
            planes[p].start = lane * width;
          } else {
            planes[p].source = lanes.bytes;
            planes[p].start = lanes.raw[lane];
            lanes.raw[lane] += width;
          }
        }
        const to = lanes.row[lane] * width;
        if (kind === KINDS.halves) {
          joinTwo(planes, halves, 0, width);
          widen(halves, (data as Float32Array).subarray(to, to + width), 0, width);
        } else if (dtype === 'float32') {
          joinFour(planes, bits, to, width);
        } else {
          joinTwo(planes, data as Uint16Array, to, width);
        }
      }
    },
  };
}

function joinTwo(planes: readonly Plane[], into: Uint16Array, to: number, width: number): void {
  const a = planes[0].source;
  const b = planes[1].source;
  const ofA = planes[0].start;
  const ofB = planes[1].start;
  for (let i = 0; i < width; i++) into[to + i] = (a[ofA + i] << 8) | b[ofB + i];
}

/**
 * The bits of float32, which were rotated left by one so that the exponent has a byte to itself. The planes are not
 * taken out of their array by destructuring, because V8 does not see what they are then: it took 3 times as long.
 */
function joinFour(planes: readonly Plane[], into: Uint32Array, to: number, width: number): void {
  const a = planes[0].source;
  const b = planes[1].source;
  const c = planes[2].source;
  const d = planes[3].source;
  const ofA = planes[0].start;
  const ofB = planes[1].start;
  const ofC = planes[2].start;
  const ofD = planes[3].start;
  for (let i = 0; i < width; i++) {
    const rotated = (a[ofA + i] << 24) | (b[ofB + i] << 16) | (c[ofC + i] << 8) | d[ofD + i];
    into[to + i] = (rotated >>> 1) | (rotated << 31);
  }
}
