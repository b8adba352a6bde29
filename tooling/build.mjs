// `npm run build` and `npm run build -- --watch`; other arguments are Turborepo's. Installs what is not installed.
// Turborepo looks for pnpm on the PATH, where the pinned pnpm puts itself when it runs Turborepo.
import { buildEverything } from './build-everything.mjs';
import { install } from './install.mjs';
import { pnpm } from './pnpm.mjs';

const args = process.argv.slice(2);
install({ ifNeeded: true });
if (args.length === 0) buildEverything({ quiet: false });
else if (args[0] === '--watch') pnpm(['exec', 'turbo', 'watch', 'build', ...args.slice(1)]);
else pnpm(['exec', 'turbo', 'run', 'build', ...args]);
