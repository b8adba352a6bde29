import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the repository, with a slash at its end. */
export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

/** The files of the repository whose path matches, `.ci` included; not those that are installed or made. */
export function repositoryFiles(pattern: RegExp): string[] {
  return filesIn('').filter((path) => pattern.test(path));
}

function filesIn(folder: string): string[] {
  return readdirSync(`${REPOSITORY}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    if (entry.isFile()) return [path];
    if (!entry.isDirectory() || /^(\.(?!ci$)|(node_modules|dist|demo-output)$)/.test(entry.name)) return [];
    return filesIn(`${path}/`);
  });
}
