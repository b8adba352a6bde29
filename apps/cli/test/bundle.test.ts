import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelPath } from '@prune/fixtures';
import { openStore } from '@prune/model-files/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

const quiet = { status: 0, stdout: '', stderr: '' };
const qa = ['pack', modelPath('mini-qa'), '--codec', 'entropy', '-q'];
const embed = [
  'pack',
  modelPath('mini-embed/encoder.safetensors.gz'),
  ...['--embeddings-from', modelPath('mini-qa'), '--codec', 'entropy', '-q'],
];

let folder: string;
const at = (name: string) => join(folder, name);
const sizeOf = (name: string) => statSync(at(name)).size;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-cli-bundle-'));
  expect(await runPrune(...qa, '-o', at('qa.prune'))).toEqual(quiet);
  expect(await runPrune(...embed, '-o', at('embed.prune'))).toEqual(quiet);
  const made = await runPrune('bundle', at('qa.prune'), at('embed.prune'), '-o', at('both.prune'));
  expect(made).toMatchObject({ status: 0, stderr: '' });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('mini-qa and mini-embed together take at most 1.25 times mini-qa', () => {
  expect(sizeOf('both.prune')).toBeLessThan(1.25 * sizeOf('qa.prune'));
});

test('the models of a bundle are what they were, and every command takes one by its name', async () => {
  for (const name of ['qa', 'embed']) {
    const verdict = await runPrune('verify', at(`${name}.prune`), at(`both.prune#${name}`), '-q');
    expect(verdict).toEqual(quiet);
  }
  const answered = await runPrune(
    ...['answer', at('both.prune#qa'), '--question', 'Who sat?', '--context', 'The cat sat on the mat.'],
  );
  expect(answered).toMatchObject({ status: 0 });
  const several = await runPrune('unpack', at('both.prune'), '-o', at('folder'));
  expect(several).toMatchObject({ status: 2, stderr: expect.stringContaining('one of qa, embed') });
  const unknown = await runPrune('inspect', at('both.prune#x'));
  expect(unknown).toMatchObject({ status: 2, stderr: expect.stringMatching(/no such model, got x, wanted one of qa/) });
});

test('inspect shows the models, and what they share', async () => {
  const all = await runPrune('inspect', at('both.prune'));
  expect(all.stdout).toMatch(/2 models in 12\.\d MB, integrity sha256-/);
  expect(all.stdout).toMatch(/^qa +399 .*\nembed +389 /m);
  const { models } = JSON.parse((await runPrune('inspect', at('both.prune'), '--json')).stdout);
  expect(models[0].sharedBytes).toBeGreaterThan(9_000_000);
  const one = await runPrune('inspect', at('both.prune#embed'));
  expect(one.stdout).toMatch(/^other models +1\.\d+ MB/m);
  const parts = JSON.parse((await runPrune('inspect', at('both.prune#embed'), '--json')).stdout);
  expect(parts).toMatchObject({ architecture: 'BertModel', container: { model: 'embed' } });
});

test('pack --base leaves out what another file has, and says when that is missing', async () => {
  expect(await runPrune(...embed, '-o', at('small.prune'), '--base', at('qa.prune'))).toEqual(quiet);
  expect(sizeOf('small.prune')).toBeLessThan(0.2 * sizeOf('embed.prune'));
  expect(await runPrune('verify', at('small.prune'), at('embed.prune'), '-q')).toEqual(quiet);
  const shown = await runPrune('inspect', at('small.prune'));
  expect(shown.stdout).toMatch(/^of these, in qa\.prune +9\.\d+ MB/m);
  // The base is a file that is read, so it is not written over.
  const over = await runPrune('convert', at('small.prune'), at('qa.prune'), '--force');
  expect(over).toMatchObject({ status: 2, stderr: expect.stringContaining('the output is a file that is read') });
  renameSync(at('qa.prune'), at('moved.prune'));
  const orphan = await runPrune('verify', at('small.prune'), at('embed.prune'));
  expect(orphan).toMatchObject({ status: 2, stderr: expect.stringContaining('base "qa.prune" is missing') });
  renameSync(at('moved.prune'), at('qa.prune'));
});

test('equal tables are coded to equal blocks', async () => {
  const stores = await Promise.all(['both.prune#qa', 'both.prune#embed'].map((name) => openStore(at(name))));
  const tables = ['bert.embeddings.word_embeddings.weight', 'embeddings.word_embeddings.weight'];
  const infos = stores.map((store, i) => store.info(tables[i]));
  expect(infos[0]).toBeDefined();
  expect(infos[0]).toEqual(infos[1]);
  const [a, b] = await Promise.all(stores.map((store, i) => store.selectRows?.([tables[i]], [101, 7])));
  expect(a).toBeDefined();
  expect(a).toEqual(b);
  for (const store of stores) await store.close();
});

test('bundle refuses what is not a .prune file, wrong names and an input as the output', async () => {
  const refused = async (...args: string[]) => (await runPrune('bundle', ...args)).stderr;
  expect(await refused(modelPath('mini-qa/vocab.txt'), '-o', at('x.prune'))).toContain('not a .prune container');
  expect(await refused(at('qa.prune'), '-o', at('x.prune'), '--names', 'a,b')).toContain('one name for each model');
  expect(await refused(at('qa.prune'), at('qa.prune'), '-o', at('x.prune'))).toContain('two models get one name');
  expect(await refused(at('both.prune#qa'), '-o', at('both.prune'), '--force')).toContain('is a file that is read');
});
