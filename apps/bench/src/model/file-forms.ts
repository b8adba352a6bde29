import type { TensorStoreWriter } from '@prune/core';
import { createH5File } from '@prune/h5-store/node';
import { CODEC_NAMES, createStore } from '@prune/model-files/node';

/** A way to keep a model in a file. */
export interface FileForm {
  readonly form: string;
  readonly extension: 'h5' | 'prune';
  create(path: string): Promise<TensorStoreWriter>;
}

/** Every file of ours: HDF5 with and without its byte shuffle, and each codec and preset of the container. */
export const FILE_FORMS: readonly FileForm[] = [
  {
    form: 'HDF5, no shuffle',
    extension: 'h5',
    create: (path) => createH5File(path, { shuffle: false }),
  },
  { form: 'HDF5, tuned', extension: 'h5', create: (path) => createStore(path) },
  ...CODEC_NAMES.flatMap((codec) =>
    (codec === 'entropy' ? (['fast', 'max'] as const) : [undefined]).map(
      (preset): FileForm => ({
        form: ['.prune', codec, ...(preset ? [preset] : [])].join(', '),
        extension: 'prune',
        create: (path) => createStore(path, { codec, preset }),
      }),
    ),
  ),
];
