import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@prune/checkpoint';
import { openCheckpoint } from '@prune/checkpoint/node';
import { type Elementary, entriesOf, memorySink, type Tensor, tensor, writeStore } from '@prune/core';
import { goldenPath, hostilePath } from '@prune/fixtures';
import { createStore, openStore } from '@prune/model-files/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../src/program.js';
import { IDLE_CONTEXT } from './idle-context.js';
import { runPrune } from './run-prune.js';

/** Of each kind one: a window's title, a new line, C1, DEL, an override, an isolate, a mark, and a line separator. */
const HOSTILE = '\x1b]0;t\x07\n\r\x9b2J\x7f\u202e\u2066\u061c\u2028';
const ESCAPED = '\\u001b]0;t\\u0007\\n\\r\\u009b2J\\u007f\\u202e\\u2066\\u061c\\u2028';

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-terminal-'));
  await writeModel(at('model'), 'BertForTokenClassification');
  await writeModel(at('strange'), HOSTILE);
  writeFileSync(at('ids.json'), JSON.stringify({ input_ids: [[2, 7, 3]] }));
  writeFileSync(at('broken.json'), `{"${HOSTILE}`);
  const qas = [{ id: HOSTILE, question: 'a?', answers: [{ text: 'b', answer_start: 2 }] }];
  const paragraphs = [{ context: `a b ${HOSTILE} c`, qas }];
  writeFileSync(at('squad.json'), JSON.stringify({ version: '1.1', data: [{ paragraphs }] }));
  writeFileSync(at('theirs.json'), JSON.stringify({ [HOSTILE]: HOSTILE }));
  for (const name of ['model', 'strange']) {
    expect(await runPrune('pack', at(name), '-o', at(`${name}.prune`))).toMatchObject({ status: 0 });
  }
  await addTensor(at('strange.prune'), `bert.${HOSTILE}.weight`);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Adds a tensor of that name to a packed model: packing leaves out what the architecture does not have. */
async function addTensor(path: string, name: string): Promise<void> {
  const store = await openStore(path);
  const held = new Map<string, Elementary>([[name, tensor('float32', [2], Float32Array.of(1, 2))]]);
  for await (const [key, value] of entriesOf(store)) held.set(key, value);
  const writer = await createStore(path, { force: true });
  await writeStore(writer, held, store.metadata);
  await store.close();
}

/** golden/tiny with a vocabulary, and a head for tokens whose labels have control characters. */
async function writeModel(path: string, architecture: string): Promise<void> {
  const tiny = await openCheckpoint(goldenPath('tiny'));
  const tensors = new Map<string, Tensor>();
  for (const key of tiny.tensors.keys()) tensors.set(key, (await tiny.tensors.get(key))!);
  await tiny.close();
  const values = (length: number) => Float32Array.from({ length }, (_, i) => (i % 5) - 2);
  tensors.set('classifier.weight', tensor('float32', [2, 64], values(128)));
  tensors.set('classifier.bias', tensor('float32', [2], values(2)));
  const sink = memorySink();
  await writeSafetensors(sink, tensors);
  mkdirSync(path);
  writeFileSync(join(path, 'model.safetensors'), sink.bytes());
  const config = JSON.parse(readFileSync(goldenPath('tiny/config.json'), 'utf8'));
  const labels = { 0: `no${HOSTILE}`, 1: `yes${HOSTILE}` };
  writeFileSync(
    join(path, 'config.json'),
    JSON.stringify({ ...config, architectures: [architecture], id2label: labels }),
  );
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '.', '?', ...'abcdefghijklmnopqrstuvwxyz'];
  const vocabulary = Array.from({ length: 997 }, (_, i) => words[i] ?? `word${i}`);
  writeFileSync(join(path, 'vocab.txt'), vocabulary.join('\n'));
}

/** What a terminal obeys in a text whose newlines are ours. */
function controlsIn(text: string): string[] {
  const found = text.match(/[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu) ?? [];
  return found.filter((control) => control !== '\n').map((control) => control.charCodeAt(0).toString(16));
}

async function run(...args: string[]) {
  const result = await runPrune(...args);
  expect({ args, controls: controlsIn(result.stdout + result.stderr) }).toEqual({ args, controls: [] });
  return result;
}

/** How each command is given a model's file. */
const WAYS: Readonly<Record<string, (file: string) => readonly string[]>> = {
  pack: (file) => [file, '-o', at('packed.prune'), '--force'],
  unpack: (file) => [file, '-o', at('unpacked'), '--force'],
  convert: (file) => [file, at('converted.prune'), '--force'],
  bundle: (file) => [file, '-o', at('bundled.prune'), '--force'],
  inspect: (file) => [file, '--all'],
  verify: (file) => [file, at('model')],
  compare: (file) => [file],
  answer: (file) => [file, '--question', 'a?', '--context', `a b ${HOSTILE} c`],
  eval: (file) => [file, at('squad.json'), '--against', at('theirs.json')],
  embed: (file) => [file, `a ${HOSTILE}`],
  classify: (file) => [file, `a ${HOSTILE} b`],
  logits: (file) => [file, '--input', at('ids.json')],
  completion: (file) => [file],
  demo: (file) => ['--model', file, '-o', at('demo'), '--force'],
};

/** What is not 0 for a store: it differs from a checkpoint, or is not one. */
const STATUS: Readonly<Record<string, number>> = { verify: 1, pack: 2, compare: 2, completion: 2, demo: 2 };

test('every command is here', () => {
  const { commands } = createProgram(IDLE_CONTEXT);
  expect(commands.map((command) => command.name())).toEqual(Object.keys(WAYS));
});

describe.each(Object.entries(WAYS))('%s', (command, argsOf) => {
  test.each(['prune-terminal-escape.prune', 'safetensors-terminal-escape.safetensors'])('%s', async (name) => {
    await run(command, ...argsOf(hostilePath(name)));
  });

  test('a model that runs', async () => {
    for (const file of ['model', 'strange', 'strange.prune']) await run(command, ...argsOf(at(file)));
    const { status } = await run(command, ...argsOf(at('model.prune')));
    expect([command, status]).toEqual([command, STATUS[command] ?? 0]);
  });

  test('a path that is not there, and an option that is not', async () => {
    const absent = await run(command, ...argsOf(at(`absent${HOSTILE}`)));
    expect(absent).toMatchObject({ status: 2, stderr: expect.stringContaining(ESCAPED) });
    const option = await run(command, ...argsOf(at('model')), `--x${HOSTILE.replace('\n', '')}`);
    expect(option).toMatchObject({ status: 2, stderr: expect.stringContaining('unknown option') });
  });
});

test('names are shown, escaped, and a newline in one makes no line', async () => {
  const inspected = await run('inspect', at('strange.prune'), '--all');
  expect(inspected.stdout).toContain(`strange.prune: ${ESCAPED}, profile`);
  expect(inspected.stdout).toMatch(/^(bert\.)?\\u001b\]0;t\\u0007\\n\\r\\u009b2J\S* +float32 /m);
  const different = await run('verify', at('strange.prune'), at('model.prune'));
  expect(different).toMatchObject({
    status: 1,
    stdout: expect.stringContaining(`different: bert.${ESCAPED}.weight is only in the first`),
  });
});

test('JSON is valid and has the names as they are', async () => {
  const { architecture } = JSON.parse((await run('inspect', at('strange.prune'), '--json')).stdout);
  expect(architecture).toBe(HOSTILE);
  const { tokens } = JSON.parse((await run('classify', at('model'), 'a b', '--json')).stdout);
  expect(tokens[0].label).toMatch(/^(no|yes)/);
  expect(tokens[0].label.endsWith(HOSTILE)).toBe(true);
  const text = 'a \x7f\x9b\u202e b';
  const asked = ['--question', 'a?', '--context', text, '--n-best', '20', '--json'];
  const { nBest } = JSON.parse((await run('answer', at('model'), ...asked)).stdout);
  expect(nBest.map((answer: { text: string }) => answer.text)).toContain(text);
});

test('answers, labels, and the ids of questions are shown escaped', async () => {
  const answered = await run(
    'answer',
    at('model'),
    '--question',
    'a?',
    '--context',
    `a ${HOSTILE} b`,
    '--n-best',
    '99',
  );
  expect(answered.stdout).toContain(`a ${ESCAPED} b\n`);
  expect((await run('classify', at('model'), 'a b')).stdout).toMatch(/^a +(no|yes)\\u001b/m);
  const compared = await run('eval', at('model'), at('squad.json'), '--against', at('theirs.json'));
  expect(compared.stdout).toContain(`  ${ESCAPED}: `);
});

test('a file that is not JSON is quoted escaped', async () => {
  const { status, stderr } = await run('logits', at('model'), '--input', at('broken.json'));
  expect(status).toBe(2);
  expect(stderr).toMatch(/^prune: [^\n]*broken\.json: not JSON[^\n]*\n$/);
});
