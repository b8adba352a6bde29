import type {
  CsrMatrix,
  ElementaryEntries,
  ModelMetadata,
  QuantizationProfile,
  QuantizedStateDict,
  StateDict,
  TensorInfo,
} from '@prune/core';
import { decompose } from '@prune/csr';
import {
  DEFAULT_QUANTIZE_OPTIONS,
  type EmbeddingPrecision,
  linearModules,
  moduleMetadata,
  quantizeDynamicToCsr,
} from '@prune/quant';
import { checkOpenCheckpoint } from './check-open-checkpoint.js';
import { checkPackable } from './check-packable.js';

/** How a checkpoint is packed. */
export interface PackOptions {
  /** Modules to leave out, each whole components of a parameter's name. */
  readonly exclude: readonly string[];
  /** One scale a row instead of one a matrix. */
  readonly perChannel: boolean;
  readonly embeddings: EmbeddingPrecision;
  /** How the quantized Linears compute, and whose way of quantizing their weights. */
  readonly profile: QuantizationProfile;
}

/** What `prune pack` does when nothing else is said. */
export const DEFAULT_PACK_OPTIONS: PackOptions = DEFAULT_QUANTIZE_OPTIONS;

/** What is packed. An open checkpoint is one. */
export interface PackableCheckpoint {
  /** For messages. */
  readonly name?: string;
  readonly tensors: StateDict & { info(name: string): TensorInfo | undefined };
  readonly metadata: ModelMetadata;
}

/** A checkpoint on its way into a store. */
export interface PackedCheckpoint {
  readonly entries: ElementaryEntries;
  readonly metadata: ModelMetadata;
  /** The modules and float tensors that will be read, one step each. */
  readonly steps: number;
  /** `false` when config.json's architecture is not known and every 2-D weight that is no embedding table was taken for a Linear. */
  readonly architectureKnown: boolean;
}

/**
 * float -> quantized (straight to CSR) -> elementary, each step lazy, so that two matrices at most are in memory.
 * `onStep` hears what is read.
 * Throws `missing` when layers that config.json says are not there, and `unsupported` when it asks for a computation
 * that we do not have.
 */
export function packCheckpoint(
  checkpoint: PackableCheckpoint,
  options: Partial<PackOptions> = {},
  onStep: (name: string) => void = () => {},
): PackedCheckpoint {
  checkOpenCheckpoint('checkpoint of packCheckpoint', checkpoint);
  const { name, tensors, metadata } = checkpoint;
  const quantizeOptions = { ...DEFAULT_PACK_OPTIONS, ...options };
  const { profile } = quantizeOptions;
  const names = [...tensors.keys()];
  checkPackable(names, metadata, name);
  const modules = linearModules(
    metadata.config,
    names.map((name) => [name, tensors.info(name)!] as const),
  );
  const quantized = quantizeDynamicToCsr(tensors, { ...quantizeOptions, ...modules });
  const watched: QuantizedStateDict<CsrMatrix> = {
    keys: () => quantized.keys(),
    get(name) {
      onStep(name);
      return quantized.get(name);
    },
  };
  return {
    entries: decompose(watched),
    metadata: {
      ...metadata,
      modules: moduleMetadata(names, modules.linears, profile),
      profile,
    },
    steps: [...quantized.keys()].length,
    architectureKnown: modules.known,
  };
}
