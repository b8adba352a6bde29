import { basename, extname } from 'node:path';
import { PruneError } from '@prune/core';
import { atomicFile, refuseExisting } from '@prune/core/node';
import { type BundleBase, type BundledModel, bundleModels, summarizeContainer } from '@prune/msgpack-store';
import { nodePlatform } from '@prune/msgpack-store/node';
import { baseName } from './base-name.js';
import { modelAddress } from './model-address.js';
import { basesOf, openFile, type RemoteOptions } from './remote-files.js';

/** Options of {@link bundleFiles}. */
export interface BundleFilesOptions extends RemoteOptions {
  /** Names of the models, one for each input. Default: see {@link bundleFiles}. */
  readonly names?: readonly string[];
  /** `.prune` files, or their URLs, whose blocks are not stored again. */
  readonly bases?: readonly string[];
  /** Replace the file that is there. Default false: refuse. */
  readonly force?: boolean;
  /** Leave out the name of the model, when there is one. */
  readonly unnamed?: boolean;
}

/**
 * Writes one `.prune` file with models of other ones, what they share once. An input is a file or a URL, or one model
 * of it (`both.prune#qa`); a file of several models stands for all of them. A model is called as it was, or after its
 * file. The new file appears only when it is whole. Throws what `bundleModels` throws.
 */
export async function bundleFiles(
  output: string,
  inputs: readonly string[],
  { names, bases = [], force = false, unnamed = false, ...remote }: BundleFilesOptions = {},
): Promise<void> {
  await refuseExisting(output, force);
  const found = await Promise.all(inputs.map((input) => modelsOf(input, remote)));
  const listed = found.flat();
  if (names !== undefined && names.length !== listed.length) {
    const what = 'one name for each model';
    throw new PruneError('invalid-argument', { where: output, what, got: names.length, wanted: listed.length });
  }
  const opened: { close(): Promise<void> }[] = [];
  const open = async (path: string) => {
    const source = await openFile(path, remote);
    opened.push(source);
    return source;
  };
  try {
    const models: BundledModel[] = [];
    for (const [i, { file, model, name }] of listed.entries()) {
      const shown = unnamed ? undefined : (names?.[i] ?? name);
      models.push({ source: await open(file), model, name: shown, file, openBase: basesOf(file, remote) });
    }
    const others: BundleBase[] = [];
    for (const base of bases) others.push({ name: baseName(output, base), source: await open(base) });
    const sink = await atomicFile(output, { replace: force, stream: false });
    await bundleModels(sink, models, { ...nodePlatform, name: output, bases: others, signal: remote.signal });
  } finally {
    for (const { close } of opened) await close().catch(() => {});
  }
}

interface ListedModel {
  readonly file: string;
  readonly model: string | undefined;
  readonly name: string;
}

/** The models that an input stands for. */
async function modelsOf(path: string, remote: RemoteOptions): Promise<ListedModel[]> {
  const { file, model } = await modelAddress(path);
  if (model !== undefined) return [{ file, model, name: model }];
  const { models } = await summarizeContainer(await openFile(file, remote), { ...nodePlatform, name: file });
  return models.map(({ name }) => ({ file, model: name, name: name ?? basename(file, extname(file)) }));
}
