import { join } from 'node:path';
import { PruneError, type SentencePipeline } from '@prune/core';
import { floatTensors } from '../float-tensors.js';
import type { StagedCheckpoint } from '../staged-checkpoint.js';
import type { OtherTensor } from '../with-more-tensors.js';
import { isFile } from './is-file.js';

/**
 * The tensors of a sentence-transformers folder's Dense modules, by the names that they get beside the transformer's.
 */
export interface DenseTensors {
  readonly tensors: ReadonlyMap<string, OtherTensor>;
  close(): Promise<void>;
}

const WEIGHT_FILES = ['model.safetensors', 'pytorch_model.bin'];

/**
 * Opens the weights of the Dense modules in their folders, `1_Dense/model.safetensors` and the like. Throws `missing`
 * for a module without a file or a tensor, `mismatch` for a tensor that does not fit the module's config, and what
 * `open` throws.
 */
export async function denseTensors(
  folder: string,
  { modules }: SentencePipeline,
  open: (path: string) => Promise<StagedCheckpoint>,
): Promise<DenseTensors> {
  const tensors = new Map<string, OtherTensor>();
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const each of closing) await each();
  };
  try {
    for (const module of modules) {
      if (module.kind !== 'dense') continue;
      const from = await floatTensors(await open(await weightFile(join(folder, module.folder))));
      closing.push(() => from.close());
      const { rows, columns } = module;
      const wanted = { 'linear.weight': [rows, columns], ...(module.bias && { 'linear.bias': [rows] }) };
      for (const [name, shape] of Object.entries(wanted)) {
        const got = from.info(name)?.shape;
        if (got === undefined) {
          throw new PruneError('missing', { where: from.name, what: 'no such tensor', tensor: name });
        }
        if (String(got) !== String(shape)) {
          throw new PruneError('mismatch', {
            where: from.name,
            what: 'shape',
            got: `[${got.join(', ')}]`,
            wanted: `[${shape.join(', ')}] by the config of ${module.folder}`,
            tensor: name,
          });
        }
        tensors.set(`${module.folder}.${name}`, { from, name });
      }
    }
    return { tensors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function weightFile(folder: string): Promise<string> {
  for (const name of WEIGHT_FILES.flatMap((file) => [file, `${file}.gz`])) {
    const path = join(folder, name);
    if (await isFile(path)) return path;
  }
  throw new PruneError('missing', { where: folder, what: 'no weights in the folder', wanted: WEIGHT_FILES.join(', ') });
}
