import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Which process made a file, on which machine. */
export interface ProcessMark {
  /** 12 hexadecimal digits. Process numbers mean the same to two processes with the same `host`. */
  readonly host: string;
  readonly pid: number;
  /** When it started, in clock ticks since the machine did; 0 where the system does not say (anything but Linux). */
  readonly start: number;
}

let own: ProcessMark | undefined;

/** The mark of this process. */
export function thisProcess(): ProcessMark {
  own ??= { host: hostMark(), pid: process.pid, start: readStat('self')?.start ?? 0 };
  return own;
}

/** Whether the process has certainly ended. Says no for a process of another machine, and whenever there is doubt. */
export function hasEnded({ host, pid, start }: ProcessMark): boolean {
  if (host !== thisProcess().host) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const found = readStat(pid);
  // A zombie has ended, and waits for its parent. Another start means that the number was given to another process.
  return found !== undefined && (found.state === 'Z' || found.state === 'X' || (start !== 0 && found.start !== start));
}

/**
 * A process number is only known within a boot of one machine and within one namespace: containers with a common folder
 * can have the same host name, and so can machines that were cloned.
 */
function hostMark(): string {
  const parts = [
    hostname(),
    tryTo(() => readFileSync('/etc/machine-id', 'utf8')),
    tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    tryTo(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/** What Linux says of a process; `undefined` on other systems, and for processes that it does not show. */
function readStat(pid: number | 'self'): { state: string; start: number } | undefined {
  const text = tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === undefined) return undefined;
  // The name of the program is in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0], start: Number(fields[19]) };
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
