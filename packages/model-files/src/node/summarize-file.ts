import { stat } from 'node:fs/promises';
import { type ContainerSummary as AnyContainerSummary, summarizeContainer } from '@prune/msgpack-store';
import { nodePlatform } from '@prune/msgpack-store/node';
import { modelAddress } from './model-address.js';
import { findModel } from './model-path.js';
import { isUrl, openFile, type RemoteOptions } from './remote-files.js';

/** What a `.prune` file holds, without its tensors. */
export interface ContainerSummary extends AnyContainerSummary {
  readonly file: string;
  /** The model that the path names (`file.prune#name`). */
  readonly model: string | undefined;
}

/**
 * Reads the manifest of a `.prune` file, or of one at a URL. `undefined` for anything else, and for a pipe, which can
 * be read once.
 */
export async function summarizeFile(path: string, options: RemoteOptions = {}): Promise<ContainerSummary | undefined> {
  const { file, model } = await modelAddress(path);
  if (!isUrl(file)) {
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile() || (await findModel(file)).form !== 'msgpack') return undefined;
  }
  const source = await openFile(file, options);
  const { name = file } = source;
  return { ...(await summarizeContainer(source, { ...nodePlatform, name })), file: name, model };
}
