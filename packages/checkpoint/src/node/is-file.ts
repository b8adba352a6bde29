import { stat } from 'node:fs/promises';

/** Whether a path leads to a file. A path that cannot be looked at does not. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
