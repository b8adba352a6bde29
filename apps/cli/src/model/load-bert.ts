import { join } from 'node:path';
import { type BertModel, loadModel } from '@prune/bert-infer';
import { nativeKernels, nodeEngine, wideKernels } from '@prune/bert-infer/node';
import { openCheckpoint } from '@prune/checkpoint/node';
import { isPruneError, type JsonObject, PruneError, type QuantizationProfile, withMetadata } from '@prune/core';
import { isUrl, openModel } from '@prune/model-files/node';
import { note } from '../console/note.js';
import { completedMetadata } from './completed-metadata.js';
import { openUrl } from './open-url.js';
import { readJson } from './read-json.js';
import type { ReadTextOptions } from './read-text.js';

/** What says how a model is loaded for inference. */
export interface InferenceOptions {
  /** A model folder whose embeddings (and, where the file has none, config and tokenizer) are used. */
  readonly embeddingsFrom?: string;
  /** A config.json instead of the model's own. */
  readonly config?: string;
  readonly profile?: QuantizationProfile;
  readonly threads?: number;
  readonly rowwise?: boolean;
  readonly wide?: boolean;
  readonly attention?: 'float32' | 'int16';
  /** Most MiB of `config`. */
  readonly maxTextSize?: number;
  /** Ends the loading of the model. */
  readonly signal?: AbortSignal;
  /** Whether to keep quiet about native kernels that are installed and do not load. */
  readonly quiet?: boolean;
}

/** Loads a model of any form for inference, gives it to `work`, and closes everything. A checkpoint computes in float32. */
export async function withBert<T>(
  path: string,
  { embeddingsFrom, config, threads, wide, maxTextSize, signal, quiet, ...options }: InferenceOptions,
  work: (model: BertModel) => Promise<T>,
): Promise<T> {
  const file = await openModel(path, { signal, openUrl });
  const closing: (() => Promise<unknown>)[] = [() => file.close()];
  try {
    const extra = embeddingsFrom === undefined ? undefined : await openCheckpoint(embeddingsFrom, { signal });
    if (extra !== undefined) closing.push(() => extra.close());
    const metadata = completedMetadata(file.metadata, extra?.metadata);
    const tensors = file.store ?? (await file.floats());
    const native = watched(nativeKernels);
    const model = await loadModel(withMetadata(tensors, metadata), {
      ...options,
      signal,
      // Of a file on a server, only the rows of the texts are fetched.
      lazyEmbeddings: isUrl(path),
      engine: nodeEngine({ kernels: wide ? wideKernels() : undefined, threads, native }),
      embeddings: extra?.tensors,
      config: config === undefined ? undefined : await readConfig(config, { maxTextSize, signal }),
    }).catch((error) => {
      throw extra === undefined ? namingTheFlag(error, path) : error;
    });
    closing.push(() => model.close());
    // The note of kernels that this Node lacks is for programs: whoever types a command cannot change them.
    if (native.failed && model.info.kernelsNote !== undefined) note(quiet, model.info.kernelsNote);
    return await work(model);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** The same kernels, which remember whether they failed. */
function watched(kernels: typeof nativeKernels): typeof nativeKernels & { readonly failed: boolean } {
  let failed = false;
  return {
    get failed() {
      return failed;
    },
    async create(options) {
      try {
        return await kernels.create(options);
      } catch (error) {
        failed = true;
        throw error;
      }
    },
  };
}

/** The library asks for its option `embeddings`; whoever typed a command is told the flag. */
function namingTheFlag(error: unknown, path: string): unknown {
  if (!isPruneError(error, 'missing') || !error.tensor?.includes('embeddings.')) return error;
  const { what, tensor } = error;
  const wanted = 'a model packed with its embeddings, or --embeddings-from and a model folder that has them';
  return new PruneError('missing', { where: path, what, wanted, tensor, cause: error });
}

async function readConfig(path: string, options: ReadTextOptions): Promise<JsonObject> {
  const file = path.endsWith('.json') ? path : join(path, 'config.json');
  const json = await readJson(file, options);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new PruneError('corrupt', { where: file, what: 'not a config', wanted: 'an object' });
}
