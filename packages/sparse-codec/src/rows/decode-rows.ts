import { inBlocks, isPruneError, type Limits, type NamedInfo, Pacer, type Tensor, tensor } from '@prune/core';
import { corrupt } from '../corrupt.js';
import { checkExpansion, MAX_EXPANSION } from '../expansion.js';
import { type Directory, readDirectory } from './directory.js';
import { CRC_BYTES } from './group-coder.js';
import { LANES, Lanes } from './lanes.js';
import type { RowMemory } from './row-form.js';
import { rowElements, type Table } from './table.js';
import { tableOf } from './table-of.js';
import { WasmLanes } from './wasm-lanes.js';

/** All rows of a block, whose CRC-32 the store has checked: those of the groups are not looked at. */
export async function decodeRows(
  bytes: Uint8Array,
  infos: readonly NamedInfo[],
  limits: Limits,
): Promise<readonly Tensor[]> {
  const table = declaredTable(infos);
  const directory = openDirectory(bytes, bytes.length, table);
  const { decoder, rowsPerGroup, starts } = directory;
  const memory = decoder.memory(table.rows);
  const lanes = new Lanes(decoder.tables);
  const wasmLanes = WasmLanes.open(decoder.tables, decoder.width);
  const pacer = new Pacer();
  const even = await evenAddress(bytes, pacer);
  const groups = starts.length - 1;
  const decode = (from: number, to: number) => {
    // Four at a time while they have equally many rows, then one after the other.
    let g = from * LANES;
    const end = Math.min(groups, to * LANES);
    for (; g + LANES <= end && (g + LANES) * rowsPerGroup <= table.rows; g += LANES) {
      const four = even.subarray(starts[g], starts[g + LANES]);
      if (wasmLanes === undefined || !isDecoded(wasmLanes, four, g, directory, memory)) {
        decodeGroups(lanes, LANES, four, g, directory, memory, rowsPerGroup);
      }
    }
    for (; g < end; g++) {
      const one = even.subarray(starts[g], starts[g + 1]);
      decodeGroups(lanes, 1, one, g, directory, memory, rowsOfGroup(g, directory, table));
    }
  };
  await inBlocks(Math.ceil(groups / LANES), pacer, decode, LANES * rowsPerGroup * rowElements(table));
  return tensorsOf(memory, table, infos, table.rows, limits);
}

/** The table that the infos of a block declare. Throws `corrupt` for what this codec does not code. */
export function declaredTable(infos: readonly NamedInfo[]): Table {
  const table = tableOf(infos);
  if (table === undefined) {
    throw corrupt('block holds what this codec does not code', `${infos.length} tensors, ${infos[0]?.name}`);
  }
  return table;
}

/** The directory that `bytes` end with, of a block of `blockBytes` bytes. Throws `corrupt`. */
export function openDirectory(bytes: Uint8Array, blockBytes: number, table: Table): Directory {
  const decoded = table.rows * table.rowBytes;
  checkExpansion('table', decoded, blockBytes);
  const room = MAX_EXPANSION * blockBytes - decoded;
  return readDirectory(bytes, table.rows, blockBytes, room, (form, source) => table.open(form, source));
}

/** Rows of a group: the last may have fewer than the others. */
export function rowsOfGroup(group: number, { rowsPerGroup }: Directory, { rows }: Table): number {
  return Math.min(rowsPerGroup, rows - group * rowsPerGroup);
}

/**
 * Decodes four groups with WebAssembly; `false` for groups that there is no room for, and for damaged ones: the
 * TypeScript lanes say what is wrong with those.
 */
function isDecoded(
  lanes: WasmLanes,
  bytes: Uint8Array,
  group: number,
  directory: Directory,
  memory: RowMemory,
): boolean {
  if (!lanes.hasRoom(bytes.length)) return false;
  try {
    decodeGroups(lanes, LANES, bytes, group, directory, memory, directory.rowsPerGroup);
    return true;
  } catch (error) {
    if (isPruneError(error)) return false;
    throw error;
  }
}

/** Decodes the `count` groups in `bytes`, of `rows` rows each, into the memory's rows; `group` is the first one. */
function decodeGroups(
  lanes: Lanes,
  count: number,
  bytes: Uint8Array,
  group: number,
  { decoder, starts, rowsPerGroup }: Directory,
  memory: RowMemory,
  rows: number,
): void {
  lanes.setBytes(bytes);
  const first = starts[group];
  for (let lane = 0; lane < count; lane++) {
    const g = group + lane;
    const end = starts[g + 1] - CRC_BYTES - first;
    lanes.begin(lane, starts[g] - first, end, rows * decoder.rawBytes, g * rowsPerGroup);
  }
  for (let r = 0; r < rows; r++) {
    memory.decodeRows(lanes, count);
    for (let lane = 0; lane < count; lane++) lanes.row[lane]++;
  }
  for (let lane = 0; lane < count; lane++) lanes.finish(lane);
}

/** Decodes a group that was read alone into the first rows of a memory. */
export function decodeGroup(lanes: Lanes, bytes: Uint8Array, rows: number, rawBytes: number, memory: RowMemory): void {
  lanes.setBytes(bytes.byteOffset % 2 === 0 ? bytes : bytes.slice());
  lanes.begin(0, 0, bytes.length - CRC_BYTES, rows * rawBytes, 0);
  for (let r = 0; r < rows; r++) {
    memory.decodeRows(lanes, 1);
    lanes.row[0]++;
  }
  lanes.finish(0);
}

/** The bytes, or a copy made with pauses, where words of 16 bits can be read. */
async function evenAddress(bytes: Uint8Array, pacer: Pacer): Promise<Uint8Array> {
  if (bytes.byteOffset % 2 === 0) return bytes;
  const copy = new Uint8Array(bytes.length);
  await inBlocks(bytes.length, pacer, (from, to) => copy.set(bytes.subarray(from, to), from));
  return copy;
}

/** The arrays of a memory as the tensors of a block, with `rows` rows each. */
export function tensorsOf(
  { arrays }: RowMemory,
  table: Table,
  infos: readonly NamedInfo[],
  rows: number,
  limits: Limits,
): Tensor[] {
  return infos.map(({ dtype, shape }, i) => {
    const array = arrays[table.arrays.findIndex(({ tensor }) => tensor === i)];
    return tensor(dtype, [rows, ...shape.slice(1)], array as never, {}, limits);
  });
}
