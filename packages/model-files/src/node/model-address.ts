import { stat } from 'node:fs/promises';
import { checkPath } from '@prune/core/node';
import { isUrl } from './remote-files.js';

/** A file, and which of its models is meant. */
export interface ModelAddress {
  readonly file: string;
  /** `undefined` when the path does not say. */
  readonly model: string | undefined;
}

/**
 * `both.prune#qa` as the file `both.prune` and its model `qa`. A file whose own name has the `#` is that file; what
 * follows the `#` of a URL is always a model.
 */
export async function modelAddress(path: string): Promise<ModelAddress> {
  checkPath(path);
  const at = path.lastIndexOf('#');
  const whole = { file: path, model: undefined };
  if (at < 1) return whole;
  if (isUrl(path)) return { file: path.slice(0, at), model: decodedName(path.slice(at + 1)) };
  const exists = (file: string) =>
    stat(file).then(
      () => true,
      () => false,
    );
  if (await exists(path)) return whole;
  const file = path.slice(0, at);
  return (await exists(file)) ? { file, model: path.slice(at + 1) } : whole;
}

/** Of a URL, where some characters may be escaped. */
function decodedName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
