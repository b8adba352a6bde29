import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goldenPath, SKIP_CONDITIONS } from '@prune/fixtures';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

/** The command as it is installed: these tests need the build that `npm test` makes first. */
const PRUNE = fileURLToPath(new URL('../bin/prune.js', import.meta.url));
const tiny = goldenPath('tiny');

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-streams-'));
  for (const name of ['m.prune', 'm.h5']) await runPrune('pack', tiny, '-o', at(name), '-q');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a line of bash in which `prune` is the command and `$T` is golden/tiny. */
function bash(line: string) {
  const script = `prune() { "$NODE" "$PRUNE" "$@"; }; set -o pipefail; ${line}`;
  const env = { ...process.env, NODE: process.execPath, PRUNE, T: tiny, NO_COLOR: '1' };
  return spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8', env, timeout: 60_000 });
}

describe.skipIf(SKIP_CONDITIONS.windows())('a pipe as a model', () => {
  test('is a store or a checkpoint, gzipped or not', () => {
    for (const [line, said] of [
      ['prune inspect <(cat m.prune)', /the file +[\d.]+ kB +100\.0 %/],
      ['cat m.prune | prune inspect /dev/stdin', /the file +[\d.]+ kB +100\.0 %/],
      ['cat m.prune | prune inspect -', /the file +[\d.]+ kB +100\.0 %/],
      ['prune verify - m.prune < m.h5', /^equal: \d+ entries/],
      ['prune inspect /dev/stdin < m.prune', /the file +[\d.]+ kB +100\.0 %/],
      ['prune verify <(cat m.h5) m.prune', /^equal: \d+ entries/],
      ['prune verify <(gzip -c "$T/model.safetensors") "$T"', /^equal: \d+ tensors/],
    ] as const) {
      const { status, stdout, stderr } = bash(line);
      expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: '' });
      expect(stdout).toMatch(said);
    }
  });

  test('from Node, which makes sockets, is one too', () => {
    const args = [PRUNE, 'inspect', '/dev/stdin'];
    const { status, stdout } = spawnSync(process.execPath, args, { input: readFileSync(at('m.prune')) });
    expect(status).toBe(0);
    expect(String(stdout)).toContain('the file');
  });

  test('that is empty, or ends too early, is an error in one line', () => {
    for (const line of ['true | prune inspect /dev/stdin', 'head -c 1000 m.prune | prune inspect /dev/stdin']) {
      const { status, stderr } = bash(line);
      expect({ line, status }).toEqual({ line, status: 2 });
      expect(stderr).toMatch(/^prune: \/dev\/stdin: [^\n]*\n$/);
    }
  });

  test('whose writer does not write can be interrupted', () => {
    // Opening the pipe for writing waits for its reader.
    const line = 'mkfifo idle; "$NODE" "$PRUNE" inspect idle & exec 3> idle; kill -INT $!; wait $!';
    const { status, stderr } = bash(line);
    expect({ status, stderr }).toEqual({ status: 130, stderr: 'prune: ended by Ctrl-C, no file was written\n' });
  });
});

describe.skipIf(SKIP_CONDITIONS.windows())('standard streams', () => {
  test('on a full disk are an error in one line, and not the status that means "different"', () => {
    for (const line of ['prune verify m.prune m.h5', 'prune --help', 'prune pack "$T" -o full.prune']) {
      const { status, stderr } = bash(`${line} > /dev/full`);
      expect({ line, status }).toEqual({ line, status: 2 });
      expect(stderr).toMatch(/^prune: standard output: ENOSPC[^\n]*\n$/);
    }
  });

  test('that are closed change nothing', () => {
    expect(bash('prune verify m.prune m.h5 >&-')).toMatchObject({ status: 0, stderr: '' });
    for (const closed of ['2>&-', '2>/dev/full', '2> >(true)']) {
      expect(bash(`prune inspect absent ${closed}`)).toMatchObject({ status: 2, stdout: '', stderr: '' });
    }
  });
});

describe.skipIf(SKIP_CONDITIONS.windows())('an output that is not a file', () => {
  test('a pipe or a device is refused before the work, and is what it was', () => {
    // A link of our own: wrong code that is run by root would replace /dev/stdout itself.
    symlinkSync('/dev/fd/1', at('out'));
    const { status, stderr } = bash(
      'mkfifo fifo; prune pack "$T" -o fifo --store msgpack --force; test -p fifo && echo kept',
    );
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(/^prune: fifo: is a pipe[^\n]*\n$/),
    });
    expect(bash('prune pack "$T" -o out --store msgpack | cat')).toMatchObject({ status: 2, stdout: '' });
  });

  test('standard output that is a file gets the model, and nothing is printed into it', () => {
    symlinkSync('/dev/fd/1', at('stdout'));
    expect(bash('prune convert m.h5 stdout --store msgpack > written.prune')).toMatchObject({ status: 0, stderr: '' });
    expect(bash('prune verify written.prune m.prune')).toMatchObject({ status: 0 });
    expect(bash('prune convert m.h5 stdout --store msgpack >> written.prune')).toMatchObject({ status: 2 });
  });
});

test.skipIf(SKIP_CONDITIONS['no-mount']())('a full disk leaves the old model and nothing else', () => {
  mkdirSync(at('disk'));
  // Less room than two models take.
  expect(bash('mount -t tmpfs -o size=400k tmpfs disk').status).toBe(0);
  try {
    for (const [line, output] of [
      ['prune pack "$T" -o disk/m.prune --force', 'm.prune'],
      ['prune convert m.prune disk/m.h5 --force', 'm.h5'],
      ['prune unpack m.prune -o disk/dir', undefined],
    ] as const) {
      if (output !== undefined) expect(bash(`cp ${output} disk/`).status).toBe(0);
      const before = readdirSync(at('disk'), { recursive: true }).sort();
      const { status, stderr } = bash(line);
      expect({ line, status }).toEqual({ line, status: 2 });
      expect(stderr).toMatch(/^prune: [^\n]*ENOSPC[^\n]*\n$/);
      expect(readdirSync(at('disk'), { recursive: true }).sort()).toEqual(before);
      if (output === undefined) continue;
      expect(readFileSync(at(`disk/${output}`)).equals(readFileSync(at(output)))).toBe(true);
      rmSync(at(`disk/${output}`));
    }
  } finally {
    expect(bash('umount disk').status).toBe(0);
  }
});

describe.skipIf(SKIP_CONDITIONS['no-script']())('on a terminal, an output that exists is asked about', () => {
  /** Answers the question when it is there, with keys that `printf` understands. */
  function answer(keys: string) {
    writeFileSync(at('asked.prune'), 'old');
    const run = '"$NODE" "$PRUNE" convert m.h5 asked.prune -q';
    const { status, stdout } = bash(
      `: > log; (until grep -q "y/N" log; do sleep 0.1; done; printf '${keys}'; sleep 0.5) | script -qefc '${run}' log`,
    );
    return { status, asked: stdout.includes('asked.prune exists. Replace it? [y/N]'), stdout };
  }

  test.each(['y\\n', 'YES\\n'])('%j replaces it', (keys) => {
    expect(answer(keys)).toMatchObject({ status: 0, asked: true });
    expect(bash('prune verify asked.prune m.prune')).toMatchObject({ status: 0 });
  });

  // Ctrl-D is the last one.
  test.each(['\\n', 'n\\n', '\\004'])('%j keeps it', (keys) => {
    expect(answer(keys)).toMatchObject({ status: 2, asked: true });
    expect(readFileSync(at('asked.prune'), 'utf8')).toBe('old');
  });

  test('Ctrl-C ends the command as a signal does, and keeps it', () => {
    const { status, asked, stdout } = answer('\\003');
    expect([status, asked]).toEqual([130, true]);
    expect(stdout).toMatch(/\nprune: ended by Ctrl-C, no file was written\r?\n$/);
    expect(readFileSync(at('asked.prune'), 'utf8')).toBe('old');
  });
});
