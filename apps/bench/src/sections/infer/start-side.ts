import { type ChildProcess, fork, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { benchFolder } from '../../bench-folder.js';
import type { PythonSpec, Request, Response, SideSpec } from './side.js';
import { tokenIds } from './token-ids.js';

/** A process that runs a side, and how to talk with it. */
export interface SideProcess {
  readonly child: ChildProcess;
  send(request: Request): void;
  /** Calls `listener` with each thing that the process says. */
  onResponse(listener: (response: Response) => void): void;
}

/** Starts the process of a side: Node over its channel for messages, Python over a line of JSON for each. */
export function startSide(spec: SideSpec): SideProcess {
  if (spec.runtime === 'openvino' || spec.runtime === 'pytorch') return startPython(spec);
  const child = fork(join(benchFolder, 'dist', 'peer.js'), [JSON.stringify(spec)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    child,
    send: (request) => child.send(request),
    onResponse: (listener) => child.on('message', listener),
  };
}

function startPython({ python, ...spec }: PythonSpec): SideProcess {
  const script = join(benchFolder, 'python', 'infer_peer.py');
  const child = spawn(python, ['-B', script, JSON.stringify(spec)], { stdio: ['pipe', 'pipe', 'inherit'] });
  // A process that has ended says so by its exit.
  child.stdin.on('error', () => {});
  return {
    child,
    send: (request) => child.stdin.write(`${JSON.stringify({ ...request, ids: tokenIds(request.work) })}\n`),
    onResponse: (listener) => createInterface({ input: child.stdout }).on('line', (line) => listener(JSON.parse(line))),
  };
}
