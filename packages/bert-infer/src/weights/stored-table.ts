import { checkAborted } from '@prune/core';
import { dequantizeEmbeddingRow } from '@prune/quant';
import { type SharedWork, sharedWork } from '../work/shared-work.js';
import type { HeldRows, WholeTable } from './embed-tokens.js';
import type { ModuleRows } from './read-modules.js';

/** Bytes of rows that are kept: 10,922 rows of BERT-base, a third of its vocabulary, and more than a text has words. */
const KEPT_BYTES = 32 * 2 ** 20;

/** A table that stays in its store. */
export interface StoredTable {
  readonly kind: 'stored';
  /** Of the rows that are kept. */
  readonly bytes: number;
  /**
   * These rows, which may repeat. Those that are neither kept nor on their way come from one call of the store, in
   * ascending order. Throws what the store throws, and `aborted`; the next call asks for the rows again.
   */
  rows(numbers: Int32Array, signal: AbortSignal | undefined): Promise<HeldRows>;
}

type Rows = ReadonlyMap<number, Float32Array>;

/** Fetches rows when they are needed and keeps `keptBytes` of them, those that were used last. */
export function storedTable(table: ModuleRows, keptBytes = KEPT_BYTES): StoredTable {
  const { shape } = table;
  const rowBytes = shape[1] * Float32Array.BYTES_PER_ELEMENT;
  /** The row that was used longest ago comes first. */
  const kept = new Map<number, Float32Array>();
  const fetching = new Map<number, SharedWork<Rows>>();

  function keep(rows: Rows) {
    for (const [number, row] of rows) {
      kept.delete(number);
      kept.set(number, row);
    }
    for (const number of kept.keys()) {
      if (kept.size * rowBytes <= keptBytes) break;
      kept.delete(number);
    }
  }

  function fetch(numbers: Int32Array): SharedWork<Rows> {
    const work = sharedWork(
      async (signal) => {
        const rows = decoded(await table.select(numbers, signal), numbers);
        keep(rows);
        return rows;
      },
      () => {
        for (const number of numbers) fetching.delete(number);
      },
    );
    for (const number of numbers) fetching.set(number, work);
    return work;
  }

  return {
    kind: 'stored',
    get bytes() {
      return kept.size * rowBytes;
    },
    async rows(numbers, signal) {
      checkAborted(signal);
      const wanted = Int32Array.from(new Set(numbers)).sort();
      const missing = wanted.filter((number) => !kept.has(number) && !fetching.has(number));
      if (missing.length > 0) fetch(missing);
      const found = new Map<number, Float32Array>();
      const works = new Set<SharedWork<Rows>>();
      for (const number of wanted) {
        const row = kept.get(number);
        if (row === undefined) works.add(fetching.get(number)!);
        else found.set(number, row);
      }
      keep(found);
      for (const rows of await Promise.all([...works].map((work) => work.wait(signal)))) {
        // Others may have asked for more rows in the same call.
        for (const number of wanted) if (rows.has(number)) found.set(number, rows.get(number)!);
      }
      return { kind: 'rows', shape, rows: found };
    },
  };
}

/** Rows as float32, each in memory of its own, so that one that is dropped is freed. */
function decoded(table: WholeTable, numbers: Int32Array): Rows {
  const columns = table.shape[1];
  const rows = new Map<number, Float32Array>();
  numbers.forEach((number, i) => {
    if ('kind' in table) {
      const row = new Float32Array(columns);
      dequantizeEmbeddingRow(table, i, row);
      rows.set(number, row);
    } else rows.set(number, table.data.slice(i * columns, (i + 1) * columns));
  });
  return rows;
}
