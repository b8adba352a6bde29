import type { CsrMatrix, EncodedBlock, EncodedPiece } from '@prune/core';
import fc from 'fast-check';

/** A CSR matrix of a dense one, given row by row. */
export function csrOf(dense: readonly (readonly number[])[], columns = dense[0]?.length ?? 0): CsrMatrix {
  const indptr = [0];
  const indices: number[] = [];
  const data: number[] = [];
  for (const row of dense) {
    row.forEach((value, column) => {
      if (value === 0) return;
      indices.push(column);
      data.push(value);
    });
    indptr.push(data.length);
  }
  return {
    shape: [dense.length, columns],
    indptr: Int32Array.from(indptr),
    indices: columns > 65535 ? Int32Array.from(indices) : Uint16Array.from(indices),
    data: Int8Array.from(data),
  };
}

/** A repeatable stream of numbers in [0, 1) (a linear congruential generator, Numerical Recipes' constants). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A matrix as pruning leaves it: densities that differ by row and by column, magnitudes that are mostly small. */
export function prunedMatrix(rows: number, columns: number, density: number, seed: number): CsrMatrix {
  const random = randomOf(seed);
  const spread = () => 0.2 + 1.6 * random() ** 2;
  const rowSpread = Array.from({ length: rows }, spread);
  const columnSpread = Array.from({ length: columns }, spread);
  return csrOf(
    rowSpread.map((r) =>
      columnSpread.map((c) => {
        if (random() >= density * r * c) return 0;
        const magnitude = 1 + Math.floor(127 * random() ** 3);
        return random() < 0.5 ? -magnitude : magnitude;
      }),
    ),
    columns,
  );
}

/** Matrices of every shape and sparsity that a property must hold for. */
export const anyMatrix: fc.Arbitrary<CsrMatrix> = fc
  .record({
    rows: fc.integer({ min: 0, max: 40 }),
    columns: fc.integer({ min: 0, max: 40 }),
    density: fc.constantFrom(0, 0.01, 0.1, 0.5, 0.9, 1, 10),
    seed: fc.nat(),
  })
  .map(({ rows, columns, density, seed }) => prunedMatrix(rows, columns, density, seed));

/** An encoded block whole, as a store writes it. */
export function blockBytes(block: EncodedBlock | undefined): Uint8Array {
  if (block === undefined || block instanceof Uint8Array) return block ?? new Uint8Array(0);
  return Uint8Array.from([...(block as Iterable<EncodedPiece>)].flatMap(({ bytes }) => [...bytes]));
}
