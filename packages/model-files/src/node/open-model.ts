import { stat } from 'node:fs/promises';
import { widenFloats } from '@prune/checkpoint';
import { openStagedCheckpoint } from '@prune/checkpoint/node';
import {
  checkAborted,
  type Limits,
  type ModelMetadata,
  PruneError,
  type RandomAccess,
  type StateDict,
  type TensorStore,
} from '@prune/core';
import type { OpenSourceOptions } from '@prune/core/node';
import { recompose } from '@prune/csr';
import { openH5Store } from '@prune/h5-store';
import { openH5File, pathsBesideH5 } from '@prune/h5-store/node';
import { openMsgpackFile } from '@prune/msgpack-store/node';
import { dequantize } from '@prune/quant';
import { loadH5wasm } from './load-h5wasm.js';
import { type ModelAddress, modelAddress } from './model-address.js';
import { type FoundModel, findModel } from './model-path.js';
import { baseAddress, basesOf, isUrl, type RemoteOptions } from './remote-files.js';

/** How a model of any form is opened. */
export type OpenFileOptions = OpenSourceOptions & RemoteOptions;

/** A model of any form, open: a checkpoint holds float tensors, a store the elementary form. */
export interface OpenModel {
  readonly path: string;
  /** Every file that is read. */
  readonly paths: readonly string[];
  readonly metadata: ModelMetadata;
  /** The elementary form; `undefined` for a checkpoint. */
  readonly store: TensorStore | undefined;
  /** The float stage: a checkpoint's own tensors with half precision widened, or what is quantized, dequantized. */
  floats(): Promise<StateDict>;
  close(): Promise<void>;
}

/** A store that was opened by its path. */
export interface OpenStore extends TensorStore {
  /** Bytes of the file itself, without those beside it. */
  readonly fileBytes: number;
  /** Every file that is read: the store's own, and those that can lie beside it. */
  readonly paths: readonly string[];
}

/**
 * Opens a model folder, a checkpoint file or a store, told apart by content; a file may be a pipe. `both.prune#qa` is
 * one model of a `.prune` file that has several. With `openUrl`, a `.prune` file may also be a URL, or have a base at
 * one.
 */
export async function openModel(path: string, options: OpenFileOptions = {}): Promise<OpenModel> {
  checkAborted(options.signal);
  const address = await modelAddress(path);
  const found = await findModel(address.file, options);
  if (found.form === 'checkpoint' && address.model === undefined) {
    const checkpoint = await openStagedCheckpoint(path, { ...options, source: found.opened });
    const { metadata, paths, close } = checkpoint;
    const floats = async (): Promise<StateDict> => {
      if (checkpoint.stage === 'float') return widenFloats(checkpoint.tensors);
      return dequantize(checkpoint.stage === 'quantized' ? checkpoint.quantized : recompose(checkpoint.elementary));
    };
    return { path, paths, metadata, store: undefined, floats, close };
  }
  const store = await openFound(address, found, options);
  return {
    path,
    paths: store.paths,
    metadata: store.metadata,
    store,
    floats: () => dequantize(recompose(store)),
    close: () => store.close(),
  };
}

/**
 * Opens a store, of a file, a pipe or a URL, or one model of a `.prune` file that has several (`both.prune#qa`). Throws
 * `unsupported` for a checkpoint, which `prune pack` makes a store of.
 */
export async function openStore(path: string, options: OpenFileOptions = {}): Promise<OpenStore> {
  checkAborted(options.signal);
  const address = await modelAddress(path);
  return openFound(address, await findModel(address.file, options), options);
}

async function openFound(
  { file: path, model }: ModelAddress,
  { form, opened }: FoundModel,
  options: OpenFileOptions,
): Promise<OpenStore> {
  const { limits } = options;
  if (model !== undefined && form !== 'msgpack') {
    await opened?.close();
    const what = 'only a .prune file has models with names';
    throw new PruneError('unsupported', { where: path, what, got: model, wanted: 'the path without #' });
  }
  if (form === 'checkpoint') {
    await opened?.close();
    throw new PruneError('unsupported', {
      where: path,
      what: 'not a store',
      got: 'a checkpoint, or something else',
      wanted: 'a .prune or .h5 file (prune pack makes one)',
    });
  }
  if (form === 'msgpack') {
    // A URL without its password and query.
    const name = isUrl(path) ? (opened?.name ?? path) : path;
    const openBase = basesOf(path, options);
    const store = await openMsgpackFile(path, { source: opened, name, limits, model, openBase });
    const bases = store.bases.map((base) => baseAddress(path, base));
    return { ...store, fileBytes: opened?.size ?? (await stat(path)).size, paths: [name, ...bases] };
  }
  const beside = opened === undefined ? pathsBesideH5(path) : [];
  const store = await openH5(path, opened, limits);
  const fileBytes = opened?.size ?? (await stat(path)).size;
  return { ...store, fileBytes, paths: [path, ...beside] };
}

async function openH5(
  path: string,
  piped: Required<RandomAccess> | undefined,
  limits: Limits | undefined,
): Promise<TensorStore> {
  if (piped === undefined) return openH5File(loadH5wasm, path, { limits });
  const bytes = await piped.read(0, piped.size);
  await piped.close();
  // Nothing lies beside a pipe, so the store has no config and no tokenizer.
  return openH5Store(() => import('h5wasm'), bytes, { name: path, limits });
}
