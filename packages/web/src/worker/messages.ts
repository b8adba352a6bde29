import type { BertModel, LoadModelOptions } from '@prune/bert-infer';
import type { Progress } from '@prune/core';
import type { BlobLike } from '../blob-source.js';
import type { HttpSourceOptions } from '../http-source.js';
import type { SentError } from './sent-error.js';

/** What a worker is asked to open. */
export type ModelFrom = { readonly url: string } | { readonly blob: BlobLike } | { readonly bytes: Uint8Array };

/** How the worker loads the model: the options of `loadModel` that can be sent to it. */
export interface LoadOptions extends Pick<LoadModelOptions, 'profile' | 'rowwise' | 'attention'> {
  /** Threads to compute with, the worker included. One where memory cannot be shared. Default: 1. */
  readonly threads?: number;
  /** Default: `auto`, the fastest that give the right results. */
  readonly kernels?: BertModel['info']['kernels'] | 'auto';
}

/** Which model of a file is opened, and whether it is the right one. */
export interface StoreOptions {
  /** The model of a file that has several; `model.prune#name` says the same. */
  readonly model?: string;
  /**
   * `sha256-...`, the SHA-256 of the file's manifest: `integrity` of the store. With it, everything that is read is
   * checked by SHA-256, whoever sent it.
   */
  readonly integrity?: string;
}

/**
 * The arguments of `open`. Whatever is sent must be of the kinds that `postMessage` can copy: no function, no signal.
 */
export interface OpenRequest {
  readonly from: ModelFrom;
  readonly load: LoadOptions;
  readonly http: Omit<HttpSourceOptions, 'fetch' | 'signal' | 'onProgress'>;
  readonly store: StoreOptions;
  /** The name of the cache; `undefined`: nothing is kept. */
  readonly cache: string | undefined;
  /** Whether the rest of the file is fetched once the model is ready. */
  readonly prefetch: boolean;
  /** The name of a Web Lock to hold as long as the worker lives. */
  readonly lock: string | undefined;
}

/** What is known of a model without asking it. */
export type ModelFacts = Pick<BertModel, 'config' | 'profile' | 'info' | 'sentence' | 'heads'>;

/** How far a call is; of an opening, also in what. */
export interface CallProgress extends Progress {
  readonly of?: 'bytes' | 'layers';
}

/** To the worker: a call, which has an answer, the end of one, or the question whether it lives. */
export type Request =
  | { readonly id: number; readonly call: string; readonly args: readonly unknown[] }
  | { readonly abort: number }
  | { readonly ask: 'alive' };

/**
 * From the worker. `info` is how the model computes after the call. Progress of an opening comes after its answer too,
 * where the rest of the file is fetched. `alive` answers the question, or says that the worker has the lock.
 */
export type Reply =
  | { readonly alive: 'yes' | 'locked' }
  | { readonly id: number; readonly progress: CallProgress }
  | { readonly id: number; readonly value: unknown; readonly info?: ModelFacts['info'] }
  | { readonly id: number; readonly error: SentError };
