import { isPruneError } from '@prune/core';
import { CommanderError } from 'commander';
import { createProgram } from '../program.js';

// `pnpm bench -- --quick` hands the `--` on, npm does not.
const args = process.argv.slice(2).filter((arg, i) => i > 0 || arg !== '--');

try {
  await createProgram(args).parseAsync(args, { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    console.error(isPruneError(error) ? `bench: ${error.message}` : error);
    process.exitCode = 2;
  }
}
