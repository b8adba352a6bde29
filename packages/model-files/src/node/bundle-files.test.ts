import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstDifference, writeStore } from '@prune/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundleFiles } from './bundle-files.js';
import { createStore } from './create-store.js';
import { modelAddress } from './model-address.js';
import { modelOf } from './models.fixture.js';
import { type OpenStore, openStore as openAnyStore, openModel } from './open-model.js';

let folder: string;
const opened: OpenStore[] = [];
/** Opens a store that is closed when the test ends. */
async function openStore(path: string): Promise<OpenStore> {
  const store = await openAnyStore(path);
  opened.push(store);
  return store;
}
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-bundle-'));
  await writeStore(await createStore(at('qa.prune')), modelOf(1), {});
  await writeStore(await createStore(at('embed.prune')), modelOf(2), {});
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true });
});

test('models are named after their files, and opened by path#name', async () => {
  await bundleFiles(at('both.prune'), [at('qa.prune'), at('embed.prune')]);
  const store = await openStore(at('both.prune#embed'));
  expect(store.paths).toEqual([at('both.prune')]);
  expect(await firstDifference(modelOf(2), store)).toBeUndefined();
  const model = await openModel(at('both.prune#qa'));
  expect(await firstDifference(modelOf(1), model.store!)).toBeUndefined();
  await model.close();
  await expect(openModel(at('both.prune'))).rejects.toMatchObject({
    code: 'invalid-argument',
    wanted: 'one of qa, embed',
  });
  await expect(openModel(at('both.prune#x'))).rejects.toMatchObject({ code: 'missing', where: at('both.prune') });
});

test('a bundle stands for its models, one of them for itself, and names can be chosen', async () => {
  await bundleFiles(at('both.prune'), [at('qa.prune'), at('embed.prune')]);
  await bundleFiles(at('three.prune'), [at('both.prune'), at('qa.prune')], { names: ['a', 'b', 'c'] });
  expect(await firstDifference(modelOf(2), await openStore(at('three.prune#b')))).toBeUndefined();
  await bundleFiles(at('one.prune'), [at('both.prune#embed')], { unnamed: true });
  expect(await firstDifference(modelOf(2), await openStore(at('one.prune')))).toBeUndefined();
  const refused = bundleFiles(at('no.prune'), [at('both.prune')], { names: ['a'] });
  await expect(refused).rejects.toMatchObject({ code: 'invalid-argument', got: 1, wanted: 2 });
  const twice = bundleFiles(at('no.prune'), [at('qa.prune'), at('both.prune')]);
  await expect(twice).rejects.toMatchObject({ code: 'invalid-argument', got: 'qa' });
  const there = bundleFiles(at('one.prune'), [at('qa.prune')]);
  await expect(there).rejects.toMatchObject({ code: 'invalid-argument', what: 'exists' });
  expect(readdirSync(folder).sort()).toEqual(['both.prune', 'embed.prune', 'one.prune', 'qa.prune', 'three.prune']);
});

test('a base is found beside the file, is one of the files that are read, and its absence is said', async () => {
  await bundleFiles(at('small.prune'), [at('embed.prune')], { bases: [at('qa.prune')], unnamed: true });
  const store = await openStore(at('small.prune'));
  expect(store.paths).toEqual([at('small.prune'), at('qa.prune')]);
  expect(store.info('table')?.base).toBe('qa.prune');
  expect(await firstDifference(modelOf(2), store)).toBeUndefined();
  renameSync(at('qa.prune'), at('gone.prune'));
  const orphan = await openStore(at('small.prune'));
  await expect(orphan.get('table')).rejects.toMatchObject({
    code: 'missing',
    where: at('small.prune'),
    what: 'base "qa.prune" is missing',
    tensor: 'table',
  });
  await writeStore(await createStore(at('qa.prune')), new Map([['x', 'y']]), {});
  await expect((await openStore(at('small.prune'))).get('table')).rejects.toMatchObject({ code: 'mismatch' });
  const byUrl = bundleFiles(at('no.prune'), [at('embed.prune')], { bases: ['https://host/qa.prune'] });
  await expect(byUrl).rejects.toMatchObject({ code: 'unsupported', where: 'https://host/qa.prune' });
});

test('a container with a base is written in one go', async () => {
  const writer = await createStore(at('small.prune'), { base: at('qa.prune') });
  await writeStore(writer, modelOf(2), { config: { a: 1 } });
  const store = await openStore(at('small.prune'));
  expect(store.info('table')?.base).toBe('qa.prune');
  expect(await firstDifference(modelOf(2), store)).toBeUndefined();
  expect(store.metadata).toEqual({ config: { a: 1 } });
  const kept = createStore(at('small.prune'), { base: at('qa.prune') });
  await expect(kept).rejects.toMatchObject({ code: 'invalid-argument', what: 'exists' });
  const aborted = await createStore(at('no.prune'), { base: at('qa.prune') });
  await aborted.put('a', 'b');
  await aborted.abort();
  expect(readdirSync(folder).sort()).toEqual(['embed.prune', 'qa.prune', 'small.prune']);
  const h5 = createStore(at('a.h5'), { base: at('qa.prune') });
  await expect(h5).rejects.toMatchObject({ code: 'invalid-argument' });
  const byUrl = createStore(at('no.prune'), { base: 'https://host/qa.prune' });
  await expect(byUrl).rejects.toMatchObject({ code: 'unsupported', where: 'https://host/qa.prune' });
  const absent = createStore(at('no.prune'), { base: at('absent.prune') });
  await expect(absent).rejects.toMatchObject({ code: 'missing', where: at('absent.prune') });
});

test('a real file whose name has a #, and what only looks like a model of a file', async () => {
  renameSync(at('qa.prune'), at('a#b.prune'));
  expect(await modelAddress(at('a#b.prune'))).toEqual({ file: at('a#b.prune'), model: undefined });
  expect(await modelAddress(at('a#b.prune#c'))).toEqual({ file: at('a#b.prune'), model: 'c' });
  expect(await modelAddress(at('absent.prune#c'))).toEqual({ file: at('absent.prune#c'), model: undefined });
  expect(await firstDifference(modelOf(1), await openStore(at('a#b.prune')))).toBeUndefined();
  writeFileSync(at('model.bin'), 'x');
  await expect(openModel(at('model.bin#qa'))).rejects.toMatchObject({ code: 'unsupported', got: 'qa' });
  await expect(openModel(at('absent.prune#qa'))).rejects.toMatchObject({ code: 'missing' });
});
