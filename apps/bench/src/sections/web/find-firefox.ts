import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The Firefox of this machine: `PRUNE_FIREFOX`, or `firefox-esr` or `firefox` on the PATH; `undefined` where there is
 * none.
 */
export function findFirefox(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.PRUNE_FIREFOX) return env.PRUNE_FIREFOX;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return ['firefox-esr', 'firefox'].flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
