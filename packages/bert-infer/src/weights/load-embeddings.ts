import type { ParameterNames } from '@prune/core';
import type { LayerNormParameters } from '@prune/kernels';
import type { BertConfig } from '../config/bert-config.js';
import type { EmbeddingTables } from './embed-tokens.js';
import type { ModuleReader } from './read-modules.js';

/** What turns token ids into the encoder's input. */
export interface Embeddings {
  readonly tables: EmbeddingTables;
  readonly norm: LayerNormParameters;
}

/** The embedding tables and their LayerNorm, each checked against the config. */
export async function loadEmbeddings(
  modules: ModuleReader,
  names: ParameterNames,
  { hiddenSize, vocabSize, positions, typeVocabSize }: BertConfig,
): Promise<Embeddings> {
  return {
    tables: {
      word: await modules.table(names.wordEmbeddings, vocabSize, hiddenSize),
      position: await modules.table(names.positionEmbeddings, positions, hiddenSize),
      tokenType:
        names.tokenTypeEmbeddings === undefined
          ? undefined
          : await modules.table(names.tokenTypeEmbeddings, typeVocabSize, hiddenSize),
    },
    norm: await modules.layerNorm(names.embeddingNorm, hiddenSize),
  };
}
