import { csrFault, isPruneError } from '@prune/core';
import { expect, test } from 'vitest';
import { prunedMatrix, randomOf } from './csr.fixture.js';
import { encodeCsr } from './encode-csr.js';
import { decodedBytes } from './expansion.js';
import { type ForgedBlock, forgeMatrix, type MatrixFields, NO_MASK, NO_VALUES, readFields } from './forge.fixture.js';
import { openCsr } from './open-csr.js';

/** Mutants in a run; PRUNE_FUZZ multiplies. */
const MUTANTS = 1000 * Number(process.env.PRUNE_FUZZ ?? 1);

type Pick = (below: number) => number;
type Changed = { -readonly [K in keyof MatrixFields]: MatrixFields[K] };

const COUNTS = [0, 1, 2, 255, 3000, 65_535, 65_536, 400_000, 2 ** 24, 2 ** 24 + 1, 2 ** 31 - 2];

function changed(fields: MatrixFields, pick: Pick): MatrixFields {
  const out: Changed = { ...fields };
  const near = (n: number) => (pick(2) === 0 ? Math.max(0, n + pick(5) - 2) : COUNTS[pick(COUNTS.length)]);
  for (let changes = 1 + pick(2); changes > 0; changes--) {
    switch (pick(11)) {
      case 0:
        out.rows = near(out.rows);
        break;
      case 1:
        out.columns = near(out.columns);
        break;
      case 2:
        out.nnz = near(out.nnz);
        break;
      case 3:
        out.rowClass = changedClasses(out.rowClass, 23, pick);
        break;
      case 4:
        out.columnClass = changedClasses(out.columnClass, 26, pick);
        break;
      case 5:
        out.levels = out.levels.map((level) => (pick(20) === 0 ? [0, 1, 65_535][pick(3)] : level));
        break;
      case 6:
        out.form = out.form === 'max' ? 'fast' : 'max';
        break;
      case 7: {
        const groups = 1 + pick(8);
        const starts = () => Array.from({ length: groups - 1 }, () => pick(40));
        const tilts = Array.from({ length: groups * groups }, () => ({ slope: pick(129) - 64, curve: pick(129) - 64 }));
        out.contexts = { groups, rowStarts: starts(), columnStarts: starts(), tilts };
        break;
      }
      // More empty rows or columns, with classes that say so: the blocks have these rows or not.
      case 8: {
        const more = [1, 3, 3000, 30_000][pick(4)];
        const last = out.blocks.at(-1);
        out.rows = out.rowClass.length + more;
        out.rowClass = longer(out.rowClass, more);
        if (last !== undefined && pick(2) === 0) {
          out.blocks = [...out.blocks.slice(0, -1), { ...last, rows: last.rows + more }];
        }
        break;
      }
      case 9:
        out.columnClass = longer(out.columnClass, [1, 3, 3000, 60_000][pick(4)]);
        out.columns = out.columnClass.length;
        break;
      default:
        out.blocks = changedBlocks(out.blocks, near, pick);
    }
  }
  return out;
}

function longer(classes: Uint8Array, by: number): Uint8Array {
  const out = new Uint8Array(classes.length + by);
  out.set(classes);
  return out;
}

/** Longer, shorter, or of other classes; sometimes so long that they ask for memory. */
function changedClasses(classes: Uint8Array, count: number, pick: Pick): Uint8Array {
  const length = pick(4) === 0 ? [0, 1, 3000, 60_000][pick(4)] : classes.length;
  const only = pick(3) === 0 ? pick(count) : undefined;
  return Uint8Array.from({ length }, (_, i) => only ?? (pick(8) === 0 ? pick(count) : (classes[i] ?? 0)));
}

function changedBlocks(blocks: readonly ForgedBlock[], near: (n: number) => number, pick: Pick): ForgedBlock[] {
  const out = [...blocks];
  const at = pick(out.length);
  const block = out[at] ?? { rows: 0, nnz: 0, mask: NO_MASK, values: NO_VALUES };
  switch (pick(6)) {
    case 0:
      out.splice(at, 1);
      break;
    case 1:
      out.splice(at, 0, ...new Array<ForgedBlock>(1 + pick(50)).fill({ ...block, rows: 0, nnz: 0 }));
      break;
    case 2:
      out[at] = { ...block, rows: near(block.rows) };
      break;
    case 3:
      out[at] = { ...block, nnz: near(block.nnz) };
      break;
    case 4:
      out[at] = { ...block, mask: block.mask.slice(0, 2 * pick(block.mask.length / 2 + 1)) };
      break;
    default:
      out[at] = { ...block, values: Uint8Array.from(block.values, (byte) => (pick(30) === 0 ? pick(256) : byte)) };
  }
  return out;
}

test('the fields of a matrix make its bytes', () => {
  for (const preset of ['fast', 'max'] as const) {
    const bytes = encodeCsr(prunedMatrix(60, 70, 0.2, 1), { preset });
    expect(forgeMatrix(readFields(bytes))).toEqual(bytes);
  }
});

test('fields that do not fit: corrupt, or a valid matrix within the expansion, each within 2 s', () => {
  const random = randomOf(23);
  const pick: Pick = (below) => Math.floor(below * random());
  const seeds = (['fast', 'max'] as const).flatMap((preset) =>
    [prunedMatrix(97, 131, 0.05, 3), prunedMatrix(60, 70, 0.2, 1), prunedMatrix(200, 100, 0.5, 2)].map((matrix) =>
      readFields(encodeCsr(matrix, { preset })),
    ),
  );
  let refused = 0;
  let slowest = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const bytes = forgeMatrix(changed(seeds[i % seeds.length], pick));
    const start = performance.now();
    try {
      const stream = openCsr(bytes);
      const matrix = stream.decode();
      const [rows, columns] = stream.shape;
      if (csrFault(matrix) !== undefined) throw new Error(`mutant ${i}: an invalid matrix came out`);
      if (decodedBytes({ rows, columns, nnz: stream.nnz, groups: 1 }) > 1032 * bytes.length)
        throw new Error(`mutant ${i}: expands too far`);
    } catch (error) {
      if (!isPruneError(error) || error.code !== 'corrupt') throw error;
      refused++;
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  expect(refused).toBeGreaterThan(0.5 * MUTANTS);
  expect(refused).toBeLessThan(MUTANTS);
  expect(slowest).toBeLessThan(2000);
});
