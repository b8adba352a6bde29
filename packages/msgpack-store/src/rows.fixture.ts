import { type Codec, PruneError, tensor } from '@prune/core';

/**
 * A codec of which rows can be read alone: rows of a uint8 matrix end to end, and two parts, a check byte for each row
 * and the width.
 */
export function rowsFixture(): Codec {
  return {
    name: 'test-rows',
    group: ({ name, dtype, shape }) =>
      dtype === 'uint8' && shape.length === 2 ? { key: name.replace(/\.\w+$/, ''), size: 1 } : undefined,
    *encode([{ data, shape }]) {
      const [rows, width] = shape;
      const bytes = data as Uint8Array;
      for (let row = 0; row < rows; row++) yield { bytes: bytes.slice(row * width, (row + 1) * width), tensor: 0 };
      const checks = Uint8Array.from({ length: rows }, (_, row) =>
        check(bytes.subarray(row * width, (row + 1) * width)),
      );
      yield { bytes: checks, part: true };
      yield { bytes: Uint8Array.of(width), part: true };
    },
    decode: (bytes, [{ shape }]) => [tensor('uint8', shape, bytes.slice(0, shape[0] * shape[1]))],
    async selectRows(block, [{ shape }]) {
      const [width] = await block.part(1);
      const checks = block.sha256 && (await block.part(0));
      return async (rows, signal) => {
        const wanted = Array.from(rows);
        const sorted = [...new Set(wanted)].sort((a, b) => a - b);
        const ranges = sorted.map((row) => [row * width, (row + 1) * width] as const);
        const read = await block.read(ranges, signal);
        for (const [i, row] of sorted.entries()) {
          if (checks !== undefined && checks[row] !== check(read[i]))
            throw new PruneError('corrupt', { what: `row ${row}` });
        }
        const data = new Uint8Array(wanted.length * width);
        for (const [i, row] of wanted.entries()) data.set(read[sorted.indexOf(row)], i * width);
        return [tensor('uint8', [wanted.length, ...shape.slice(1)], data)];
      };
    },
  };
}

function check(row: Uint8Array): number {
  return row.reduce((sum, byte) => sum ^ byte, 0x55);
}
