import { type SharedWork, sharedWork } from '../work/shared-work.js';
import type { EmbeddingTables, TokenIds, WholeTable } from './embed-tokens.js';
import type { StoredTable } from './stored-table.js';

/** The tables of a model, of which some stay in the store. Token types are few and always whole. */
export interface LoadedTables {
  readonly word: WholeTable | StoredTable;
  readonly position: WholeTable | StoredTable;
  readonly tokenType?: WholeTable;
}

/** The tables of a model, all in memory. */
export interface WholeTables extends LoadedTables {
  readonly word: WholeTable;
  readonly position: WholeTable;
}

/** The embedding tables as a model uses them. */
export interface ModelEmbeddings {
  /** Bytes of what is in memory. */
  readonly bytes: number;
  /** Whether a table is in the store. */
  readonly lazy: boolean;
  /** Tables that have the rows of these tokens; at once when every table is whole. */
  tablesFor(tokens: TokenIds, signal: AbortSignal | undefined): EmbeddingTables | Promise<EmbeddingTables>;
  /** Reads the tables that are in the store; does nothing when there are none. Calls at once share the reading. */
  load(signal: AbortSignal | undefined): Promise<void>;
  /** Makes {@link load} reject with `aborted` if it is still reading. */
  stopLoading(): void;
}

/** `readWhole` reads the same tables without leaving any in the store. */
export function modelEmbeddings(
  tables: LoadedTables,
  readWhole: (signal: AbortSignal) => Promise<LoadedTables>,
): ModelEmbeddings {
  let current = tables;
  // Not kept longer than it is needed, because it keeps the store.
  let read = areWhole(tables) ? undefined : readWhole;
  let loading: SharedWork<void> | undefined;
  return {
    get bytes() {
      const { word, position, tokenType } = current;
      return [word, position, tokenType].reduce((sum, table) => sum + bytesOf(table), 0);
    },
    get lazy() {
      return !areWhole(current);
    },
    tablesFor(tokens, signal) {
      return areWhole(current) ? current : withRows(current, tokens, signal);
    },
    async load(signal) {
      if (read === undefined) return;
      const start = read;
      loading ??= sharedWork(
        async (stop) => {
          current = await start(stop);
          read = undefined;
        },
        () => {
          loading = undefined;
        },
      );
      await loading.wait(signal);
    },
    stopLoading: () => loading?.stop(),
  };
}

/**
 * The rows of both tables are fetched at once. Those of positions are neighbours, one long answer: it comes while the
 * many requests for words wait for theirs. Asked for last, both take 6 to 26 % longer over 10 Mbit/s and 40 ms.
 */
async function withRows(
  { word, position, tokenType }: LoadedTables,
  { ids, positions }: TokenIds,
  signal: AbortSignal | undefined,
): Promise<EmbeddingTables> {
  const [places, words] = await Promise.all([
    isStored(position) ? position.rows(positions, signal) : position,
    isStored(word) ? word.rows(ids, signal) : word,
  ]);
  return { word: words, position: places, tokenType };
}

function areWhole(tables: LoadedTables): tables is WholeTables {
  return !isStored(tables.word) && !isStored(tables.position);
}

function isStored(table: WholeTable | StoredTable): table is StoredTable {
  return 'kind' in table && table.kind === 'stored';
}

function bytesOf(table: WholeTable | StoredTable | undefined): number {
  if (table === undefined) return 0;
  if (isStored(table)) return table.bytes;
  if (!('kind' in table)) return table.data.byteLength;
  return table.intRepr.byteLength + table.scales.byteLength + table.zeroPoints.byteLength;
}
