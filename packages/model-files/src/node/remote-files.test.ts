import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstDifference, type Tensor, writeStore } from '@prune/core';
import { fileSource } from '@prune/core/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundleFiles } from './bundle-files.js';
import { createStore } from './create-store.js';
import { modelAddress } from './model-address.js';
import { modelOf } from './models.fixture.js';
import { type OpenFileOptions, openModel, openStore } from './open-model.js';
import type { OpenUrl } from './remote-files.js';
import { summarizeFile } from './summarize-file.js';

const SERVER = 'https://models.test/dir/';
let folder: string;
let asked: string[];
/** The folder as a server's. */
const openUrl: OpenUrl = async (url) => {
  asked.push(url);
  return fileSource(join(folder, url.slice(SERVER.length)));
};
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  asked = [];
  folder = mkdtempSync(join(tmpdir(), 'prune-remote-'));
  await writeStore(await createStore(at('qa.prune')), modelOf(1), {});
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The tensors of a model, which is closed. */
async function differs(from: ReadonlyMap<string, Tensor>, path: string, options: OpenFileOptions): Promise<unknown> {
  const store = await openStore(path, options);
  const difference = await firstDifference(from, store);
  await store.close();
  return difference;
}

test('a base by URL: the file has its URL, and reads it where URLs may be opened', async () => {
  const base = `${SERVER}qa.prune`;
  await writeStore(await createStore(at('embed.prune'), { base, openUrl }), modelOf(2), {});
  const { bases, models } = (await summarizeFile(at('embed.prune')))!;
  expect(bases).toEqual([base]);
  expect(models[0].baseBytes).toBeGreaterThan(0);
  expect(await differs(modelOf(2), at('embed.prune'), { openUrl })).toBeUndefined();
  const store = await openStore(at('embed.prune'));
  expect(store.paths).toEqual([at('embed.prune'), base]);
  await expect(store.get('table')).rejects.toMatchObject({ code: 'unsupported', where: at('embed.prune') });
  await store.close();
  const refused = createStore(at('other.prune'), { base });
  await expect(refused).rejects.toMatchObject({ code: 'unsupported', where: base, what: 'a URL' });
});

test('a model by URL, one of several, and its base beside it', async () => {
  await writeStore(await createStore(at('embed.prune'), { base: at('qa.prune') }), modelOf(2), {});
  expect(await differs(modelOf(2), `${SERVER}embed.prune`, { openUrl })).toBeUndefined();
  expect(asked).toEqual([`${SERVER}embed.prune`, `${SERVER}qa.prune`]);
  await bundleFiles(at('both.prune'), [at('qa.prune'), `${SERVER}embed.prune`], { names: ['a b', 'embed'], openUrl });
  expect(await modelAddress(`${SERVER}both.prune#a%20b`)).toEqual({ file: `${SERVER}both.prune`, model: 'a b' });
  const model = await openModel(`${SERVER}both.prune#a%20b`, { openUrl });
  expect(await firstDifference(modelOf(1), model.store!)).toBeUndefined();
  await model.close();
  expect(await summarizeFile(`${SERVER}both.prune#embed`, { openUrl })).toMatchObject({ model: 'embed' });
});

test('only containers are opened by URL, and only with openUrl', async () => {
  await writeStore(await createStore(at('model.h5')), modelOf(1), {});
  const refused = openStore(`${SERVER}model.h5`, { openUrl });
  await expect(refused).rejects.toMatchObject({ code: 'unsupported', what: expect.stringContaining('.prune') });
  for (const open of [openStore, openModel, summarizeFile]) {
    await expect(open(`${SERVER}qa.prune`)).rejects.toMatchObject({ code: 'unsupported', what: 'a URL' });
  }
});
