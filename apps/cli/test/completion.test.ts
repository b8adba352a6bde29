import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SKIP_CONDITIONS } from '@prune/fixtures';
import { CODEC_NAMES } from '@prune/model-files/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { status, stdout, stderr } = await runPrune('completion', shell);
    expect({ shell, status, stderr }).toEqual({ shell, status: 0, stderr: '' });
    writeFileSync(join(folder, shell), stdout);
  }
  mkdirSync(join(folder, 'files'));
  for (const name of ['a model.prune', 'squad.json']) writeFileSync(join(folder, 'files', name), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(shell: string, args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(shell, args, { cwd: join(folder, 'files'), encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((line) => line !== '');
}

test('a shell that it does not know is refused', async () => {
  expect(await runPrune('completion', 'tcsh')).toMatchObject({
    status: 2,
    stderr: 'prune: shell, got tcsh, wanted bash, zsh, fish\n',
  });
});

/** Words after `prune`, the last of which is completed, and what is offered; `undefined` leaves it to bash: files. */
const CASES: readonly (readonly [string, readonly string[], readonly string[] | undefined])[] = [
  ['a command', ['un'], ['unpack']],
  ['every option of a command', ['inspect', '--'], ['--all', '--json', '--help']],
  ['an option', ['pack', 'in', '--lev'], ['--level']],
  ['the choices of an option', ['pack', '--codec', ''], CODEC_NAMES],
  ['a choice', ['verify', 'a', 'b', '--profile', 'q'], ['qnnpack']],
  ['the choices of an argument', ['completion', ''], ['bash', 'zsh', 'fish']],
  ['nothing for a number', ['pack', '--level', ''], []],
  ['files for a model', ['inspect', 'a'], undefined],
  ['files for an option', ['eval', 'm.prune', '--against', ''], undefined],
];

describe.skipIf(SKIP_CONDITIONS.windows())('bash completes', () => {
  function complete(words: readonly string[]) {
    const quoted = ['prune', ...words].map((word) => `'${word}'`).join(' ');
    // Outside of a completion, `compopt` fails: what it is told is kept here.
    const script = `compopt() { echo "told $*"; }; source ../bash; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _prune; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run('bash', ['--norc', '-c', script]);
  }
  const noFiles = 'told +o default +o bashdefault';

  test.each(CASES)('%s', (_case, words, offered) => {
    expect(complete(words)).toEqual(offered === undefined ? [] : [noFiles, ...offered]);
  });

  test('--option=value, which it splits', () => {
    expect(complete(['pack', '--codec', '=', 'entr'])).toEqual([noFiles, 'entropy']);
    expect(complete(['pack', '--codec', '='])).toEqual([noFiles, ...CODEC_NAMES]);
  });
});

describe.skipIf(SKIP_CONDITIONS['no-fish']())('fish completes', () => {
  test.each(CASES)('%s', (_case, words, offered) => {
    const line = ['prune', ...words].join(' ');
    const found = run('fish', ['--no-config', '-c', `source ../fish; complete -C '${line}'`]);
    const names = found.map((text) => text.split('\t')[0].replace('\\ ', ' '));
    if (offered === undefined) expect(names).toContain('a model.prune');
    // It has short names too.
    else expect(names).toEqual(expect.arrayContaining([...offered]));
    if (offered?.length === 0) expect(names).toEqual([]);
  });
});

test.skipIf(SKIP_CONDITIONS['no-zsh']())('zsh takes the script for its completion of prune', () => {
  const script = `autoload -U compinit; compinit -u -d ../zcompdump; source ../zsh; whence -w _prune; echo $_comps[prune]`;
  expect(run('zsh', ['-f', '-c', script])).toEqual(['_prune: function', '_prune']);
});
