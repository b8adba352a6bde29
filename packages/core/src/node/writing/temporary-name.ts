import { randomBytes } from 'node:crypto';
import { type ProcessMark, thisProcess } from './process-mark.js';

/** `tmp`: being written. `old`: moved away until the new one is in its place. `lock`: who changes the folder. */
export type TemporaryKind = 'tmp' | 'old' | 'lock';

/**
 * Bytes of the base name that are kept: with what we add, a name stays well below the 255 bytes that file systems
 * allow.
 */
const BASE_BYTES = 100;

const PATTERN = /^\..*\.([0-9a-f]{12})-([0-9]{1,10})-([0-9]{1,16})\.[0-9a-f]{12}\.(tmp|old|lock)$/s;

/**
 * A new hidden name beside `base` that says which process made it: `.<base>.<host>-<pid>-<start>.<random>.tmp`. No two
 * names are the same, so a name whose process has ended will never be used again and can be removed by anyone.
 */
export function temporaryName(base: string, kind: TemporaryKind): string {
  const { host, pid, start } = thisProcess();
  return `.${shortened(base)}.${host}-${pid}-${start}.${randomBytes(6).toString('hex')}.${kind}`;
}

/** What a name of {@link temporaryName} says; `undefined` for any other name. */
export function parseTemporaryName(name: string): (ProcessMark & { readonly kind: TemporaryKind }) | undefined {
  const match = PATTERN.exec(name);
  if (match === null) return undefined;
  const [, host, pid, start, kind] = match;
  return { host, pid: Number(pid), start: Number(start), kind: kind as TemporaryKind };
}

function shortened(base: string): string {
  let kept = '';
  for (const character of base) {
    if (Buffer.byteLength(kept + character) > BASE_BYTES) break;
    kept += character;
  }
  return kept;
}
