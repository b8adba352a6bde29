import { EXIT, runCommand } from './console/run-command.js';
import { watchOutput } from './console/watch-output.js';
import { createProgram } from './program.js';

const statusOf = watchOutput();
const status = await runCommand(async (context) => {
  await createProgram(context).parseAsync(process.argv);
});
// A command that a signal has ended does not wait for what it was reading.
if (status > EXIT.failed) process.exit(status);
process.exitCode = statusOf(status);
