import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify as classifyTexts } from '@prune/bert-infer';
import { writeSafetensors } from '@prune/checkpoint';
import { openCheckpoint } from '@prune/checkpoint/node';
import { memorySink, type Tensor, tensor } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as progress from '../src/console/progress.js';
import { withBert } from '../src/model/load-bert.js';
import { runPrune } from './run-prune.js';

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-classify-'));
  await writeModel('sequence', 'BertForSequenceClassification');
  await writeModel('token', 'BertForTokenClassification');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** golden/tiny with a vocabulary and a head of two labels. */
async function writeModel(name: string, architecture: string): Promise<void> {
  const tiny = await openCheckpoint(goldenPath('tiny'));
  const tensors = new Map<string, Tensor>();
  for (const key of tiny.tensors.keys()) tensors.set(key, (await tiny.tensors.get(key))!);
  await tiny.close();
  const values = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7) % 11) / 11 - 0.5);
  tensors.set('bert.pooler.dense.weight', tensor('float32', [64, 64], values(64 * 64)));
  tensors.set('bert.pooler.dense.bias', tensor('float32', [64], values(64)));
  tensors.set('classifier.weight', tensor('float32', [2, 64], values(128)));
  tensors.set('classifier.bias', tensor('float32', [2], values(2)));
  const sink = memorySink();
  await writeSafetensors(sink, tensors);
  mkdirSync(at(name));
  writeFileSync(join(at(name), 'model.safetensors'), sink.bytes());
  const config = JSON.parse(readFileSync(goldenPath('tiny/config.json'), 'utf8'));
  const labels = { id2label: { 0: 'no', 1: 'yes' } };
  writeFileSync(join(at(name), 'config.json'), JSON.stringify({ ...config, architectures: [architecture], ...labels }));
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '.', '?', ...'abcdefghijklmnopqrstuvwxyz'];
  const vocabulary = Array.from({ length: 997 }, (_, i) => words[i] ?? `word${i}`);
  writeFileSync(join(at(name), 'vocab.txt'), vocabulary.join('\n'));
}

async function classify(name: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runPrune('classify', at(name), ...args);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

test('no text: exit 2', async () => {
  expect(await runPrune('classify', at('sequence'))).toMatchObject({ status: 2, stdout: '' });
});

test.each(['sequence', 'token'])('an error about one text names it: %s', async (name) => {
  const long = 'a '.repeat(999);
  writeFileSync(at('long.txt'), `a\n${long}\n`);
  const failures = [
    [['a', long], 'text 2: text is longer'],
    [['b', '--file', at('long.txt')], `line 2 of ${at('long.txt')}: text is longer`],
    [[long], 'bert-infer: text is longer'],
  ] as const;
  for (const [args, message] of failures) {
    const { status, stderr } = await runPrune('classify', at(name), ...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
});

test('one text of the command line has its labels alone', async () => {
  expect(await classify('sequence', 'a b')).toMatch(/^label +score\n─+ +─+\n(yes|no) +[\d.]+ %\n(yes|no) +[\d.]+ %\n$/);
  const { labels } = JSON.parse(await classify('sequence', 'a b', '--json'));
  expect(labels.map(({ label }: { label: string }) => label).sort()).toEqual(['no', 'yes']);
});

test('several texts, of a file too: each with its labels, those of the array form', async () => {
  writeFileSync(at('texts.txt'), 'c d e f\ng\n');
  const given = ['a b', '--file', at('texts.txt')];
  const { texts } = JSON.parse(await classify('sequence', ...given, '--json'));
  const names = ['a b', 'c d e f', 'g'];
  const wanted = await withBert(at('sequence'), {}, (model) => classifyTexts(model, names));
  expect(texts).toEqual(names.map((text, i) => ({ text, labels: wanted[i] })));
  expect(await classify('sequence', ...given)).toMatch(
    /^a b\n {2}label +score\n[\s\S]+\n\nc d e f\n {2}label[\s\S]+\n\ng\n/,
  );
  // A file of one line has the form of a file.
  writeFileSync(at('one.txt'), 'g\n');
  const one = JSON.parse(await classify('sequence', '--file', at('one.txt'), '--json'));
  expect(one).toEqual({ texts: [{ text: 'g', labels: expect.any(Array) }] });
});

test('several texts whose tokens are labelled', async () => {
  const { texts } = JSON.parse(await classify('token', 'a b', 'c', '--json'));
  expect(texts.map(({ tokens }: { tokens: { text: string }[] }) => tokens.map(({ text }) => text))).toEqual([
    ['a', 'b'],
    ['c'],
  ]);
});

test('a signal prints the labels of the texts that are done', async () => {
  const many = Array.from({ length: 2000 }, (_, i) => 'a b c d e f '.repeat(1 + (i % 5)));
  writeFileSync(at('many.txt'), many.join('\n'));
  let steps = 0;
  vi.spyOn(progress, 'progressBar').mockReturnValue({
    total() {},
    step: () => {
      if (++steps === 3) process.emit('SIGINT', 'SIGINT');
    },
    stop() {},
  });
  const { status, stdout, stderr } = await runPrune('classify', at('token'), '--file', at('many.txt'), '--json');
  expect([status, stderr]).toEqual([
    130,
    'prune: ended by Ctrl-C, a partial result was printed, no file was written\n',
  ]);
  const { partial, texts } = JSON.parse(stdout);
  expect(partial).toBe(true);
  expect(texts.length).toBeGreaterThan(0);
  expect(texts.length).toBeLessThan(many.length);
  expect(texts.map(({ text }: { text: string }) => text)).toEqual(many.slice(0, texts.length));
});
