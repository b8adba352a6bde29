import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEXTS_AT_ONCE } from '@prune/bert-infer';
import { goldenPath, modelPath, SKIP_CONDITIONS } from '@prune/fixtures';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SIGNAL_STATUS } from '../src/console/run-command.js';
import { runPrune } from './run-prune.js';

/** The command as it is installed: these tests need the build that `npm test` makes first. */
const PRUNE = fileURLToPath(new URL('../bin/prune.js', import.meta.url));

/** A command ends within a second; machines that run other tests at the same time are given more. */
const MOST_MS = 4000;

const SIGNALS = Object.keys(SIGNAL_STATUS) as NodeJS.Signals[];

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-signals-'));
  // More questions than any machine answers before the signal comes.
  const squad = JSON.parse(readFileSync(join(modelPath('mini-qa'), 'dev-squad.json'), 'utf8'));
  const article = JSON.stringify(squad.data);
  const copies = Array.from({ length: 20 }, (_, i) => JSON.parse(article.replaceAll('"id":"', `"id":"${i}-`)));
  writeFileSync(at('squad.json'), JSON.stringify({ ...squad, data: copies.flat() }));
  await runPrune('pack', modelPath('mini-qa'), '-o', at('m.prune'), '--codec', 'raw', '-q');
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** How it ended, and what it printed. */
  readonly ended: Promise<{ status: number | null; killedBy: string | null; stdout: string; stderr: string }>;
}

function start(...args: string[]): Running {
  // Temporary folders of the command are looked for in our own.
  const child = spawn(process.execPath, [PRUNE, ...args], { env: { ...process.env, TMPDIR: folder, NO_COLOR: '1' } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Awaited<Running['ended']>>((resolve) => {
    child.on('close', (status, killedBy) => resolve({ status, killedBy, stdout, stderr }));
  });
  return { child, ended };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(5);
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends a signal, and gives what is left with the milliseconds that it took. */
async function end({ child, ended }: Running, signal: NodeJS.Signals) {
  const sent = performance.now();
  child.kill(signal);
  const result = await ended;
  return { ...result, ms: performance.now() - sent };
}

/** Ends a command by a signal once it has a result to print, which takes long on a machine that runs other tests. */
async function endWithResult(signal: NodeJS.Signals, ...args: string[]) {
  for (let ms = 2000; ; ms *= 2) {
    const running = start(...args);
    await wait(ms);
    const left = await end(running, signal);
    if (left.stdout !== '' || ms > 30_000) return left;
  }
}

const temporary = () => readdirSync(folder).filter((name) => name.startsWith('.') || name.startsWith('prune-'));

/** What every command leaves that was ended by a signal and wrote no file. */
function ended(signal: NodeJS.Signals, { partial = false } = {}) {
  const name = signal === 'SIGINT' ? 'Ctrl-C' : signal;
  const stderr = `prune: ended by ${name}${partial ? ', a partial result was printed' : ''}, no file was written\n`;
  return { status: SIGNAL_STATUS[signal], killedBy: null, stderr };
}

describe.skipIf(SKIP_CONDITIONS.windows()).each(SIGNALS)('%s', (signal) => {
  test('ends pack, whose temporary file is removed', async () => {
    const running = start('pack', modelPath('mini-qa'), '-o', at('new.prune'));
    // It is at work once its temporary file is there.
    await until(() => temporary().length > 0);
    const { ms, ...left } = await end(running, signal);
    expect(left).toEqual({ ...ended(signal), stdout: '' });
    expect(ms).toBeLessThan(MOST_MS);
    expect([temporary(), existsSync(at('new.prune'))]).toEqual([[], false]);
  });
});

describe.skipIf(SKIP_CONDITIONS.windows())('a signal', () => {
  test.each([
    ['SIGINT', false],
    ['SIGTERM', true],
  ] as const)('%s ends eval, which prints the scores so far and writes no file', async (signal, json) => {
    const files = [at('m.prune'), at('squad.json'), '--predictions', at('p.json')];
    const { ms, stdout, ...left } = await endWithResult(signal, 'eval', ...files, ...(json ? ['--json'] : []));
    expect(left).toEqual(ended(signal, { partial: true }));
    expect(ms).toBeLessThan(MOST_MS);
    if (json) {
      const { partial, questions, total, examples } = JSON.parse(stdout);
      expect([partial, questions, examples.length]).toEqual([true, 6000, total]);
      expect(total).toBeGreaterThan(0);
    } else {
      expect(stdout).toMatch(/^partial, (\d+) of 6000 questions\nexact match [\d.]+, F1 [\d.]+ \(\1 questions\) in /);
    }
    expect([temporary(), existsSync(at('p.json'))]).toEqual([[], false]);
  });

  test('ends answer over a long text', async () => {
    writeFileSync(at('long.txt'), 'The cat sat on the mat. '.repeat(40_000));
    const running = start('answer', at('m.prune'), '--question', 'Who sat?', '--file', at('long.txt'));
    await wait(2500);
    const { ms, stdout, ...left } = await end(running, 'SIGINT');
    // By then a window has been read where the kernels are fast.
    const partial = stdout !== '';
    expect(left).toEqual(ended('SIGINT', { partial }));
    if (partial) expect(stdout).toMatch(/^partial, \d+ of 2,186 windows\n/);
    expect(ms).toBeLessThan(MOST_MS);
  });

  test('ends embed, whose JSON is whole although its reader is slow', async () => {
    const texts = Array.from({ length: 20_000 }, (_, i) => `${i % 7} the cat sat on the mat`);
    writeFileSync(at('texts.txt'), texts.join('\n'));
    const running = start('embed', at('m.prune'), '--file', at('texts.txt'), '--json');
    await new Promise((resolve) => running.child.stdout.once('data', resolve));
    const { ms, stdout, ...left } = await end(running, 'SIGTERM');
    expect(left).toEqual(ended('SIGTERM', { partial: true }));
    expect(ms).toBeLessThan(MOST_MS);
    const { partial, embeddings } = JSON.parse(stdout);
    expect(partial).toBe(true);
    expect(embeddings.length).toBeGreaterThanOrEqual(TEXTS_AT_ONCE);
    expect(embeddings.length).toBeLessThan(texts.length);
    expect(embeddings.slice(0, TEXTS_AT_ONCE)).not.toContain(null);
    expect(embeddings.every((vector: number[] | null) => vector === null || vector.length === 384)).toBe(true);
  });

  test('ends a command that waits for standard input', async () => {
    const running = start('answer', at('m.prune'), '--question', 'a?', '--file', '-');
    // It listens to signals once it reads; what it is given fits into no pipe.
    let read = false;
    running.child.stdin.write('a '.repeat(500_000), () => {
      read = true;
    });
    await until(() => read);
    expect(await end(running, 'SIGINT')).toMatchObject({ ...ended('SIGINT'), stdout: '' });
  });

  test('ends compare, which prints the rows so far and removes its folder', async () => {
    const running = start('compare', modelPath('mini-qa'), '--json');
    await until(() => temporary().some((name) => name.startsWith('prune-compare-')));
    const { stdout, ...left } = await end(running, 'SIGINT');
    expect(left).toMatchObject(ended('SIGINT', { partial: true }));
    const { partial, forms } = JSON.parse(stdout);
    expect([partial, forms[0].form]).toEqual([true, 'dense float32']);
    expect(temporary()).toEqual([]);
  });

  test('ends a command whose text comes through a pipe that nobody writes to', async () => {
    spawnSync('mkfifo', [at('fifo')]);
    const running = start(
      'eval',
      goldenPath('tiny'),
      at('squad.json'),
      '--predictions',
      at('p.json'),
      '--against',
      at('fifo'),
    );
    // It reads the questions first, and then waits for the pipe.
    await wait(2500);
    expect(await end(running, 'SIGINT')).toMatchObject({ ...ended('SIGINT'), stdout: '' });
  });

  test('that is sent twice at once, as npx does, is one', async () => {
    const running = start('eval', at('m.prune'), at('squad.json'), '--predictions', at('p.json'));
    await until(() => temporary().length > 0);
    running.child.kill('SIGINT');
    expect(await end(running, 'SIGINT')).toMatchObject({ status: 130, killedBy: null });
  });
});
