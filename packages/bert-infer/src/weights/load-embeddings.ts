import type { ParameterNames } from '@prune/core';
import type { LayerNormParameters } from '@prune/kernels';
import type { BertConfig } from '../config/bert-config.js';
import type { WholeTable } from './embed-tokens.js';
import { type LoadedTables, type ModelEmbeddings, modelEmbeddings } from './model-embeddings.js';
import type { ModuleReader } from './read-modules.js';
import { type StoredTable, storedTable } from './stored-table.js';

/** Which tables stay in the store if it can read some rows of them without the others. */
export interface StoredTables {
  readonly word: boolean;
  readonly position: boolean;
}

/** What turns token ids into the encoder's input. */
export interface Embeddings {
  readonly tables: ModelEmbeddings;
  readonly norm: LayerNormParameters;
  /** The word table, unless it is in the store. */
  readonly words: WholeTable | undefined;
}

/**
 * The embedding tables and their LayerNorm, each checked against the config. `readerOf` gives the modules again, read
 * with another signal.
 */
export async function loadEmbeddings(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  stored: StoredTables,
  readerOf: (signal: AbortSignal) => ModuleReader,
): Promise<Embeddings> {
  const tables = await readTables(modules, names, config, stored);
  const norm = await modules.layerNorm(names.embeddingNorm, config.hiddenSize);
  const readWhole = (signal: AbortSignal) =>
    readTables(readerOf(signal), names, config, { word: false, position: false });
  const { word } = tables;
  const words = 'kind' in word && word.kind === 'stored' ? undefined : word;
  return { tables: modelEmbeddings(tables, readWhole), norm, words };
}

async function readTables(
  modules: ModuleReader,
  names: ParameterNames,
  { hiddenSize, vocabSize, positions, typeVocabSize }: BertConfig,
  stored: StoredTables,
): Promise<LoadedTables> {
  const table = async (isStored: boolean, name: string, rows: number): Promise<WholeTable | StoredTable> => {
    const inStore = isStored ? await modules.tableRows(name, rows, hiddenSize) : undefined;
    return inStore === undefined ? modules.table(name, rows, hiddenSize) : storedTable(inStore);
  };
  return {
    word: await table(stored.word, names.wordEmbeddings, vocabSize),
    position: await table(stored.position, names.positionEmbeddings, positions),
    tokenType:
      names.tokenTypeEmbeddings === undefined
        ? undefined
        : await modules.table(names.tokenTypeEmbeddings, typeVocabSize, hiddenSize),
  };
}
