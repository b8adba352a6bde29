// A measured child process: `node child.js TASK ARGUMENT` does one thing in a process of its own and prints its result as JSON.
import { writeSync } from 'node:fs';

const [task, argument] = process.argv.slice(2);
// Each task loads what it needs and nothing else: what is imported counts as memory.
const result =
  task === 'load'
    ? await (await import('../sections/load/load-task.js')).loadTask(argument)
    : await (await import('../sections/infer/first-task.js')).firstTask(argument);
writeSync(1, `${JSON.stringify(result)}\n`);
// Thread pools would keep the process alive.
process.exit(0);
