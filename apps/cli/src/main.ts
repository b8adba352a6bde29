import { runCommand } from './console/run-command.js';
import { createProgram } from './program.js';

process.exitCode = await runCommand(async (signal) => {
  await createProgram({ signal }).parseAsync(process.argv);
});
