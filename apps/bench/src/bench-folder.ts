import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `apps/bench`: one level above this file, in `src` and in `dist` alike. */
export const benchFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** The repository. */
export const repositoryFolder = dirname(dirname(benchFolder));

/** What the bench makes and installs; git does not see it, and it may be deleted at any time. */
export const workFolder = join(repositoryFolder, '.bench');
