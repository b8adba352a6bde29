import { vi } from 'vitest';
import { runCommand } from '../src/console/run-command.js';
import { createProgram } from '../src/program.js';

/** What a command left: its exit status and what it printed. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `prune ...args` in this process. */
export async function runPrune(...args: string[]): Promise<Run> {
  let stdout = '';
  let stderr = '';
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text) => {
      stdout += `${text}\n`;
    }),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text;
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += text;
      return true;
    }),
  ];
  try {
    const status = await runCommand(async (context) => {
      await createProgram(context).parseAsync(['node', 'prune', ...args]);
    });
    return { status, stdout, stderr };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}
