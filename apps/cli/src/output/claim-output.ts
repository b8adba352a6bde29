import { type BigIntStats, fstat } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PruneError } from '@prune/core';
import { refuseExisting } from '@prune/core/node';
import type { CommandContext } from '../command-context.js';
import { canAsk, confirm } from '../console/confirm.js';

/** What a command is about to do. */
export interface OutputClaim {
  /** Every file that the command reads. */
  readonly inputs: readonly string[];
  /** The flag `--force`. */
  readonly force?: boolean;
  /** Learns which of the files were written, for the line that a signal leaves. */
  readonly context: Pick<CommandContext, 'signal' | 'tellWritten'>;
}

/** What may be done with the outputs. */
export interface ClaimedOutput {
  /** Whether files that exist are replaced: by the flag, or because the person at the terminal said so. */
  readonly force: boolean;
  /** Whether an output is standard output, a pipe or a device. Nothing is printed about it then. */
  readonly streamed: boolean;
}

/**
 * Decides before the work whether files may be written. One that is an input, under whatever name, is refused with
 * `--force` too; one that exists is asked about on a terminal, and refused elsewhere (`invalid-argument`). Pipes and
 * devices hold nothing that could be lost.
 */
export async function claimOutput(
  targets: readonly string[],
  { inputs, force = false, context }: OutputClaim,
): Promise<ClaimedOutput> {
  const printed = await promisify<number, { bigint: true }, BigIntStats>(fstat)(1, { bigint: true }).catch(
    () => undefined,
  );
  const isPrinted = (found: BigIntStats) => printed !== undefined && sameFile(found, printed);
  const found: { target: string; stats: BigIntStats }[] = [];
  for (const target of targets) {
    // A folder is not replaced, whatever the flag says.
    await refuseExisting(target, true);
    const stats = await lookAt(target);
    if (stats !== undefined) found.push({ target, stats });
  }
  await refuseInputs(found, inputs);
  // `> file` has emptied the file before the command began.
  const kept = found.filter(({ stats }) => holdsSomething(stats) && !(isPrinted(stats) && stats.size === 0n));
  const streamed = found.some(({ stats }) => !holdsSomething(stats) || isPrinted(stats));
  if (kept.length > 0 && !force)
    await ask(
      kept.map(({ target }) => target),
      context.signal,
    );
  context.tellWritten(() => changedFiles(targets, found));
  return { force: force || found.length > 0, streamed };
}

async function ask(existing: readonly string[], signal: AbortSignal): Promise<void> {
  const [where] = existing;
  if (!canAsk())
    throw new PruneError('invalid-argument', { where, what: 'exists', wanted: 'another name, or --force' });
  const one = existing.length === 1;
  const question = `${existing.join(', ')} ${one ? 'exists. Replace it?' : 'exist. Replace them?'}`;
  if (await confirm(question, signal)) return;
  throw new PruneError('invalid-argument', { where, what: 'exists, and is kept' });
}

/** Compares files, not names: a name can be a link to another. */
async function refuseInputs(
  outputs: readonly { target: string; stats: BigIntStats }[],
  inputs: readonly string[],
): Promise<void> {
  for (const input of inputs) {
    const read = await lookAt(input);
    const same = outputs.find(({ stats }) => read?.isFile() && sameFile(stats, read));
    if (same === undefined) continue;
    throw new PruneError('invalid-argument', {
      where: same.target,
      what: 'the output is a file that is read',
      got: input,
      wanted: 'another name',
    });
  }
}

/** The files that are not what they were: a written file is a new one under the old name. */
async function changedFiles(
  targets: readonly string[],
  before: readonly { target: string; stats: BigIntStats }[],
): Promise<string[]> {
  const changed: string[] = [];
  for (const target of targets) {
    const [then, now] = [before.find((one) => one.target === target)?.stats, await lookAt(target)];
    if (now === undefined || !holdsSomething(now)) continue;
    if (then === undefined || !sameFile(then, now) || then.mtimeNs !== now.mtimeNs) changed.push(target);
  }
  return changed;
}

function lookAt(path: string): Promise<BigIntStats | undefined> {
  // What cannot be looked at is refused by what writes it, with the reason.
  return stat(path, { bigint: true }).catch(() => undefined);
}

function sameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function holdsSomething(stats: BigIntStats): boolean {
  return !stats.isFIFO() && !stats.isCharacterDevice();
}
