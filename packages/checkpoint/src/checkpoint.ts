import type { Limits, StateDict, Tensor, TensorInfo, TensorPieces } from '@prune/core';

/** How the bytes are laid out; told from the content, never from the file's name. */
export type CheckpointFormat = 'safetensors' | 'pytorch-zip' | 'pytorch-legacy';

/** A checkpoint open for reading. Reading a tensor reads its bytes alone, and nothing of them is kept. */
export interface Checkpoint extends StateDict {
  /** For messages. */
  readonly name: string;
  readonly format: CheckpointFormat;
  /** The names in the file's own order. */
  keys(): Iterable<string>;
  /** Dtype and shape, known without reading the tensor. */
  info(name: string): TensorInfo | undefined;
  /** One tensor in its own dtype, contiguous. Throws a PruneError that names the file and the tensor. */
  get(name: string): Promise<Tensor | undefined>;
  /** One tensor piece by piece. Throws as {@link get} does. */
  pieces(name: string): TensorPieces | undefined;
  /** Closes the source. */
  close(): Promise<void>;
}

/** What every reader of this package takes. */
export interface OpenOptions {
  /** What messages call the source; its own name by default. */
  readonly name?: string;
  /** Bounds on what the file may make us allocate; `DEFAULT_LIMITS` by default. */
  readonly limits?: Limits;
  /**
   * The state dict to take where the file has several: the keys of a pickle that lead to it (`model`, `ema.module`), or
   * what stands before its names (`student`).
   */
  readonly stateDict?: string;
}
