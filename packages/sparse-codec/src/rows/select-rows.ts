import {
  type BlockBytes,
  crc32,
  elementCount,
  inBlocks,
  type Limits,
  type NamedInfo,
  Pacer,
  PruneError,
  type RowSelector,
  type TensorData,
} from '@prune/core';
import { corrupt, PLACE } from '../corrupt.js';
import { declaredTable, decodeGroup, openDirectory, rowsOfGroup, tensorsOf } from './decode-rows.js';
import { HASH_BYTES } from './directory.js';
import { CRC_BYTES } from './group-coder.js';
import { Lanes } from './lanes.js';
import type { RowMemory } from './row-form.js';
import { rowElements } from './table.js';

/** The parts of a block. */
const HASHES = 0;
const DIRECTORY = 1;
const PARTS = 2;

/**
 * Opens a block of which rows can be read alone: reads its directory and, if the caller wants what is read to be
 * checked by hashes, those.
 */
export async function selectRows(block: BlockBytes, infos: readonly NamedInfo[], limits: Limits): Promise<RowSelector> {
  const table = declaredTable(infos);
  if (block.parts.length !== PARTS) throw corrupt('parts of a block', block.parts.length, PARTS);
  const bytes = await block.part(DIRECTORY);
  const directory = openDirectory(bytes, block.length, table);
  const { decoder, rowsPerGroup, starts } = directory;
  const groups = starts.length - 1;
  const partBytes = [groups * HASH_BYTES, block.length - starts[groups] - groups * HASH_BYTES];
  if (bytes.length !== partBytes[DIRECTORY] || block.parts.some((length, i) => length !== partBytes[i])) {
    throw corrupt('parts of a block', block.parts.join(' and '), `${partBytes.join(' and ')} bytes`);
  }
  const hashes = block.sha256 === undefined ? undefined : await block.part(HASHES);

  return async (rows, signal) => {
    const wanted = checkedRows(rows, table.rows);
    const counts = infos.map(({ dtype, shape }) =>
      elementCount({ dtype, shape: [wanted.length, ...shape.slice(1)] }, {}, limits),
    );
    // Positions in the order of the rows, so that each group is decoded once.
    const order = Uint32Array.from(wanted, (_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
    const needed = neededGroups(wanted, order, rowsPerGroup);
    const read = await block.read(
      needed.map((g) => [starts[g], starts[g + 1]] as const),
      signal,
    );
    if (read.length !== needed.length) throw corrupt('groups that were read', read.length, needed.length);
    const lanes = new Lanes(decoder.tables);
    const group = decoder.memory(rowsPerGroup);
    const memory: RowMemory = {
      arrays: table.arrays.map(({ tensor }, i) => arrayLike(group.arrays[i], counts[tensor])),
      decodeRows: group.decodeRows,
    };
    let next = 0;
    const decode = (from: number, to: number) => {
      for (let k = from; k < to; k++) {
        const g = needed[k];
        checkGroup(read[k], g, starts[g + 1] - starts[g]);
        decodeGroup(lanes, read[k], rowsOfGroup(g, directory, table), decoder.rawBytes, group);
        for (; next < order.length && Math.floor(wanted[order[next]] / rowsPerGroup) === g; next++) {
          const row = wanted[order[next]] - g * rowsPerGroup;
          table.arrays.forEach(({ width }, i) => {
            const part = group.arrays[i].subarray(row * width, (row + 1) * width);
            memory.arrays[i].set(part as never, order[next] * width);
          });
        }
      }
    };
    await inBlocks(needed.length, new Pacer(), decode, rowsPerGroup * rowElements(table));
    return tensorsOf(memory, table, infos, wanted.length, limits);
  };

  function checkGroup(bytes: Uint8Array, g: number, length: number): void {
    if (bytes.length !== length) throw corrupt(`length of group ${g}`, bytes.length, length);
    const end = length - CRC_BYTES;
    const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
    const crc = crc32(bytes.subarray(0, end));
    if (crc !== stored) throw corrupt(`CRC-32 of group ${g}`, crc, stored);
    if (hashes === undefined || block.sha256 === undefined) return;
    const hash = block.sha256(bytes);
    for (let i = 0; i < HASH_BYTES; i++) {
      if (hash[i] !== hashes[g * HASH_BYTES + i])
        throw corrupt(`SHA-256 of group ${g}`, 'another', 'that of its block');
    }
  }
}

/** Row numbers that are numbers of rows. Throws `invalid-argument`. */
function checkedRows(rows: ArrayLike<number>, count: number): Float64Array {
  const wanted = Float64Array.from(rows);
  for (const row of wanted) {
    if (!(Number.isInteger(row) && row >= 0 && row < count)) {
      throw new PruneError('invalid-argument', {
        where: PLACE,
        what: 'row',
        got: row,
        wanted: `0 to ${count - 1}`,
      });
    }
  }
  return wanted;
}

/** The groups that the rows lie in, ascending, each once. */
function neededGroups(wanted: Float64Array, order: Uint32Array, rowsPerGroup: number): number[] {
  const groups: number[] = [];
  for (const i of order) {
    const group = Math.floor(wanted[i] / rowsPerGroup);
    if (groups.at(-1) !== group) groups.push(group);
  }
  return groups;
}

function arrayLike(array: TensorData, length: number): TensorData {
  return new (array.constructor as new (length: number) => TensorData)(length);
}
