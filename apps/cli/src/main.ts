import { runCommand } from './console/run-command.js';
import { watchOutput } from './console/watch-output.js';
import { createProgram } from './program.js';

const statusOf = watchOutput();
const status = await runCommand(async (signal) => {
  await createProgram({ signal }).parseAsync(process.argv);
});
process.exitCode = statusOf(status);
