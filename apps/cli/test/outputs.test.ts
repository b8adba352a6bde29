import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath, SKIP_CONDITIONS } from '@prune/fixtures';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createProgram } from '../src/program.js';
import { IDLE_CONTEXT } from './idle-context.js';
import { runPrune } from './run-prune.js';

const tiny = goldenPath('tiny');

let folder: string;
let models: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  models = mkdtempSync(join(tmpdir(), 'prune-models-'));
  for (const name of ['tiny.prune', 'tiny.h5']) {
    expect(await runPrune('pack', tiny, '-o', join(models, name))).toMatchObject({ status: 0 });
  }
});
afterAll(() => rmSync(models, { recursive: true }));
beforeEach(() => {
  folder = mkdtempSync(join(models, 'test-'));
  return () => rmSync(folder, { recursive: true });
});

/** Runs a command that must refuse, and shows that nothing in the folder has changed. */
async function refused(...args: string[]): Promise<string> {
  const before = contents(folder);
  const { status, stdout, stderr } = await runPrune(...args);
  expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' });
  expect(stderr).toMatch(/^prune: [^\n]*\n$/);
  expect(contents(folder)).toEqual(before);
  return stderr;
}

function contents(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file, readFileSync(file, 'latin1')];
    }),
  );
}

test('every command that writes has --force', () => {
  const { commands } = createProgram(IDLE_CONTEXT);
  const forced = commands.filter(({ options }) => options.some(({ long }) => long === '--force'));
  expect(forced.map((command) => command.name())).toEqual(['pack', 'unpack', 'convert', 'bundle', 'eval', 'demo']);
});

describe('an output that exists', () => {
  test.each([
    ['pack', ['x.prune'], () => [tiny, '-o', at('x.prune')]],
    ['pack', ['x.h5'], () => [tiny, '-o', at('x.h5')]],
    ['convert', ['x.prune'], () => [join(models, 'tiny.h5'), at('x.prune')]],
    ['convert', ['x.h5'], () => [join(models, 'tiny.prune'), at('x.h5')]],
    ['bundle', ['x.prune'], () => [join(models, 'tiny.prune'), '-o', at('x.prune')]],
    ['unpack', ['model.safetensors'], () => [join(models, 'tiny.prune'), '-o', folder]],
    ['unpack', ['config.json'], () => [join(models, 'tiny.prune'), '-o', folder]],
    ['demo', ['mini-qa.prune'], () => ['-o', folder]],
    ['eval', ['x.json'], () => [tiny, at('squad.json'), '--predictions', at('x.json')]],
  ] as const)('%s refuses %j, and says so before it begins', async (command, [name], argsOf) => {
    const qas = [{ id: 'a', question: 'a?', answers: [{ text: 'a', answer_start: 0 }] }];
    writeFileSync(at('squad.json'), JSON.stringify({ data: [{ paragraphs: [{ context: 'a', qas }] }] }));
    writeFileSync(at(name), '{}');
    const stderr = await refused(command, ...argsOf());
    expect(stderr).toContain(`${name}: exists, wanted another name, or --force\n`);
  });

  test('is replaced with --force', async () => {
    for (const name of ['x.prune', 'x.h5']) {
      writeFileSync(at(name), 'old');
      expect(await runPrune('pack', tiny, '-o', at(name), '--force')).toMatchObject({ status: 0 });
      expect(await runPrune('verify', at(name), join(models, 'tiny.prune'))).toMatchObject({ status: 0 });
      expect(await runPrune('convert', join(models, name.replace('x', 'tiny')), at(name), '--force')).toMatchObject({
        status: 0,
      });
    }
    expect(await runPrune('unpack', at('x.prune'), '-o', at('dir'))).toMatchObject({ status: 0 });
    expect(await runPrune('unpack', at('x.prune'), '-o', at('dir'), '--force')).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('beside an .h5, with other words, is refused by name', async () => {
    writeFileSync(at('config.json'), '{"model_type":"other"}');
    for (const args of [
      ['pack', tiny, '-o', at('x.h5')],
      ['convert', join(models, 'tiny.prune'), at('x.h5')],
    ]) {
      const stderr = await refused(...args);
      expect(stderr).toMatch(/config\.json: exists, wanted another name, or --force\n$/);
    }
    expect(await runPrune('pack', tiny, '-o', at('x.h5'), '--force')).toMatchObject({ status: 0 });
  });

  test('that is a folder is not a file to replace', async () => {
    mkdirSync(at('x.prune'));
    for (const force of [[], ['--force']]) {
      expect(await refused('pack', tiny, '-o', at('x.prune'), ...force)).toContain('a folder');
    }
  });
});

describe('an input is not replaced, with --force either', () => {
  beforeEach(() => {
    copyFileSync(join(models, 'tiny.prune'), at('a.prune'));
    mkdirSync(at('model'));
    for (const name of ['model.safetensors', 'config.json']) copyFileSync(join(tiny, name), at(`model/${name}`));
  });

  test('by its own name', async () => {
    for (const other of [at('a.prune'), join(folder, '.', 'model', '..', 'a.prune')]) {
      expect(await refused('convert', at('a.prune'), other, '--force')).toContain('the output is a file that is read');
    }
  });

  test('by a link, symbolic or hard', async () => {
    symlinkSync('a.prune', at('symbolic.prune'));
    symlinkSync('symbolic.prune', at('twice.prune'));
    linkSync(at('a.prune'), at('hard.prune'));
    for (const link of ['symbolic.prune', 'twice.prune', 'hard.prune']) {
      await refused('convert', at('a.prune'), at(link), '--force');
      await refused('convert', at(link), at('a.prune'), '--force');
    }
  });

  test('by pack: the checkpoint, what lies beside it, and every shard', async () => {
    const force = ['--force', '--store', 'msgpack'];
    writeFileSync(at('model/vocab.txt'), 'a\nb\n');
    for (const name of ['model.safetensors', 'config.json', 'vocab.txt']) {
      await refused('pack', at('model'), '-o', at(`model/${name}`), ...force);
      await refused('pack', at('model/model.safetensors'), '-o', at(`model/${name}`), ...force);
    }
    cpSync(at('model'), at('sharded'), { recursive: true });
    const shard = 'model-00001-of-00001.safetensors';
    renameSync(at('sharded/model.safetensors'), at(`sharded/${shard}`));
    const header = readFileSync(at(`sharded/${shard}`));
    const names = Object.keys(JSON.parse(header.toString('utf8', 8, 8 + header.readUInt32LE(0))));
    const weightMap = Object.fromEntries(names.filter((name) => name !== '__metadata__').map((name) => [name, shard]));
    writeFileSync(at('sharded/model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
    await refused('pack', at('sharded'), '-o', at(`sharded/${shard}`), ...force);
    await refused('pack', at('sharded'), '-o', at('sharded/model.safetensors.index.json'), ...force);
    expect(await runPrune('pack', at('sharded'), '-o', at('sharded/x.prune'))).toMatchObject({ status: 0 });
  });

  test('by what lies beside an .h5', async () => {
    mkdirSync(at('linked'));
    writeFileSync(at('model/vocab.txt'), 'a\n');
    // The name of another file of the model: writing the configuration would change the vocabulary.
    linkSync(at('model/vocab.txt'), at('linked/config.json'));
    expect(await refused('pack', at('model'), '-o', at('linked/x.h5'), '--force')).toContain('is a file that is read');
    expect(await runPrune('pack', at('model'), '-o', at('model/x.h5'))).toMatchObject({ status: 0 });
  });

  test('by unpack', async () => {
    await refused('unpack', at('model/model.safetensors'), '-o', at('model'), '--force');
    mkdirSync(at('out'));
    symlinkSync(join(folder, 'a.prune'), at('out/model.safetensors'));
    await refused('unpack', at('a.prune'), '-o', at('out'), '--force');
  });

  test('by eval: the questions', async () => {
    const qas = [{ id: 'a', question: 'a?', answers: [{ text: 'a', answer_start: 0 }] }];
    writeFileSync(at('squad.json'), JSON.stringify({ data: [{ paragraphs: [{ context: 'a', qas }] }] }));
    for (const [option, name] of [
      ['--examples', 'squad.json'],
      ['--predictions', 'a.prune'],
    ]) {
      const stderr = await refused('eval', at('a.prune'), at('squad.json'), option, at(name), '--force');
      expect(stderr).toContain('the output is a file that is read');
    }
  });
});

test.skipIf(SKIP_CONDITIONS.windows())('a name below a file, and a folder that is not there', async () => {
  writeFileSync(at('file'), '');
  for (const path of [at('file/x.prune'), at('none/x.prune')]) {
    expect(await refused('pack', tiny, '-o', path)).toMatch(/x\.prune: (ENOTDIR|ENOENT)/);
  }
  expect(await refused('unpack', join(models, 'tiny.prune'), '-o', at('file'))).toMatch(/ENOTDIR/);
  expect(await refused('demo', '-o', at('file'))).toMatch(/ENOTDIR/);
});

test('a folder without a model, and a path that leads through a file', async () => {
  mkdirSync(at('empty'));
  expect(await refused('pack', at('empty'), '-o', at('x.prune'))).toContain('no checkpoint in the folder');
  for (const command of ['inspect', 'answer']) {
    const rest = command === 'answer' ? ['--question', 'a?', '--context', 'a'] : [];
    await refused(command, at('empty'), ...rest);
  }
  writeFileSync(at('file'), '');
  expect(await refused('inspect', at('file/m.prune'))).toContain('ENOTDIR');
});
