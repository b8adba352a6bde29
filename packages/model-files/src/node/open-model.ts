import { widenFloats } from '@prune/checkpoint';
import { openCheckpoint } from '@prune/checkpoint/node';
import { type ModelMetadata, PruneError, type StateDict, type TensorStore } from '@prune/core';
import { recompose } from '@prune/csr';
import { openH5File } from '@prune/h5-store/node';
import { openMsgpackFile } from '@prune/msgpack-store/node';
import { dequantize } from '@prune/quant';
import { entropyCodec } from '@prune/sparse-codec';
import { loadH5wasm } from './load-h5wasm.js';
import { modelForm } from './model-path.js';

/** A model of any form, open: a checkpoint holds float tensors, a store the elementary form. */
export interface OpenModel {
  readonly path: string;
  readonly metadata: ModelMetadata;
  /** The elementary form; `undefined` for a checkpoint. */
  readonly store: TensorStore | undefined;
  /** The float stage: a checkpoint's own tensors with half precision widened, or a store's dequantized. */
  floats(): Promise<StateDict>;
  close(): Promise<void>;
}

/** Opens a model folder, a checkpoint file or a store, told apart by content. */
export async function openModel(path: string): Promise<OpenModel> {
  if ((await modelForm(path)) === 'checkpoint') {
    const { tensors, metadata, close } = await openCheckpoint(path);
    return { path, metadata, store: undefined, floats: async () => widenFloats(tensors), close };
  }
  const store = await openStore(path);
  return {
    path,
    metadata: store.metadata,
    store,
    floats: () => dequantize(recompose(store)),
    close: () => store.close(),
  };
}

/** Opens a store. Throws `unsupported` for a checkpoint, which `prune pack` makes a store of. */
export async function openStore(path: string): Promise<TensorStore> {
  const form = await modelForm(path);
  if (form === 'h5') return openH5File(loadH5wasm, path);
  if (form === 'msgpack') return openMsgpackFile(path, { codecs: [entropyCodec()] });
  throw new PruneError('unsupported', {
    where: path,
    what: 'not a store',
    got: 'a checkpoint, or something else',
    wanted: 'a .prune or .h5 file (prune pack makes one)',
  });
}
