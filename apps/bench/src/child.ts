// A measured child process: `node child.js TASK ARGUMENT` does one thing in a process of its own and prints its result as JSON.
import { loadTask } from './child/load-task.js';

const TASKS: Readonly<Record<string, (argument: string) => Promise<unknown>>> = { load: loadTask };

const [task, argument] = process.argv.slice(2);
console.log(JSON.stringify(await TASKS[task](argument)));
