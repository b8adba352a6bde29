import { isPruneError } from '@prune/state-dict';
import { createProgram } from './program.js';

// `pnpm bench -- --quick` hands the `--` on, npm does not.
const args = process.argv.slice(2).filter((arg, i) => i > 0 || arg !== '--');

try {
  await createProgram(args).parseAsync(args, { from: 'user' });
} catch (error) {
  console.error(isPruneError(error) ? `bench: ${error.message}` : error);
  process.exitCode = 2;
}
