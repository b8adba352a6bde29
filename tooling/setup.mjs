// Installs with the pinned pnpm and builds. With --if-needed it does each only if something changed since the last
// time; with --update-lockfile the lockfile takes over changed dependencies, and nothing is built: tests and the
// command see the sources, and whatever needs a build makes it.
// Says a line a step; what the tools say is shown when a step fails.
import { buildEverything } from './build-everything.mjs';
import { install } from './install.mjs';

const ifNeeded = process.argv.includes('--if-needed');
const updateLockfile = process.argv.includes('--update-lockfile');
install({ ifNeeded, updateLockfile });
if (!updateLockfile) buildEverything({ ifNeeded });
