import { runCommand } from './console/run-command.js';
import { createProgram } from './program.js';

// `prune ... | head` reads as much as it wants: what a command does, and its status, do not depend on that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommand(async (signal) => {
  await createProgram({ signal }).parseAsync(process.argv);
});
