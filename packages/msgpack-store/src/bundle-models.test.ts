import { readFileSync } from 'node:fs';
import { type ByteSource, type Elementary, firstDifference, memorySink, tensor, writeStore } from '@prune/core';
import { versionOnePath } from '@prune/fixtures';
import { beforeAll, expect, test } from 'vitest';
import { type BundledModel, type BundleOptions, bundleModels } from './bundle-models.js';
import { codecList } from './codecs/codec-list.js';
import { createMsgpackStore } from './create-msgpack-store.js';
import { openMsgpackStore } from './open-msgpack-store.js';
import { rowsFixture } from './rows.fixture.js';
import { summarizeContainer } from './summarize-container.js';

const codecs = [rowsFixture(), ...codecList()];
const table = tensor(
  'uint8',
  [400, 50],
  Uint8Array.from({ length: 20_000 }, (_, i) => (i * 31) % 251),
);
const own = (name: string, value: number): [string, Elementary][] => [
  [
    `${name}.weight`,
    tensor(
      'float32',
      [40, 3],
      Float32Array.from({ length: 120 }, (_, i) => value + i),
    ),
  ],
  // Two equal blocks in one model.
  [`${name}.a`, tensor('int8', [100], new Int8Array(100))],
  [`${name}.b`, tensor('int8', [100], new Int8Array(100))],
  [`${name}.small`, tensor('int8', [1], Int8Array.of(value))],
];
/** The models share the table, under another name, and the vocabulary. */
const entries = {
  qa: new Map<string, Elementary>([['bert.table', table], ...own('qa', 1)]),
  embed: new Map<string, Elementary>([['table', table], ...own('embed', 2)]),
};
const vocabulary = new TextEncoder().encode('[PAD]\n[UNK]\n'.repeat(99));

async function packed(name: 'qa' | 'embed') {
  const sink = memorySink();
  const files = new Map([['vocab.txt', vocabulary]]);
  await writeStore(await createMsgpackStore(sink, { codecs }), entries[name], { config: { name }, files });
  return sink.bytes().slice();
}

async function bundled(models: readonly BundledModel[], options?: BundleOptions) {
  const sink = memorySink();
  await bundleModels(sink, models, options);
  return sink.bytes().slice();
}

let qa: Uint8Array;
let embed: Uint8Array;
let both: Uint8Array;
beforeAll(async () => {
  qa = await packed('qa');
  embed = await packed('embed');
  both = await bundled([
    { source: qa, name: 'qa' },
    { source: embed, name: 'embed' },
  ]);
});

async function expectModel(source: ByteSource, name: 'qa' | 'embed', options: object = {}) {
  const store = await openMsgpackStore(source, { codecs, ...options });
  expect([...store.keys()]).toEqual([...entries[name].keys()]);
  expect(await firstDifference(entries[name], store)).toBeUndefined();
  expect(store.metadata.config).toEqual({ name });
  expect(await store.metadata.files?.get('vocab.txt')).toEqual(vocabulary);
  const { data } = table;
  const [row] = (await store.selectRows!([name === 'qa' ? 'bert.table' : 'table'], [7]))!;
  expect(row.data).toEqual(data.slice(350, 400));
  return store;
}

test('two models in one file: both are whole, what they share is stored once', async () => {
  for (const name of ['qa', 'embed'] as const) {
    const store = await expectModel(both, name, { model: name });
    expect(store.models).toEqual(['qa', 'embed']);
    await expectModel(both, name, { model: name, integrity: store.integrity });
  }
  expect(both.length).toBeLessThan(qa.length + 2000);
  const { models, bases, fileBytes } = await summarizeContainer(both);
  expect(fileBytes).toBe(both.length);
  expect(bases).toEqual([]);
  for (const model of models) {
    expect(model).toMatchObject({ tensors: 5, baseBytes: 0 });
    expect(model.sharedBytes).toBeGreaterThan(20_000);
    expect(model.ownBytes + model.sharedBytes).toBe(model.storedBytes);
  }
});

test('the same models give the same bundle, also when they come out of a bundle', async () => {
  const again = await bundled([
    { source: both, model: 'qa', name: 'qa' },
    { source: both, model: 'embed', name: 'embed' },
  ]);
  expect(Buffer.compare(again, both)).toBe(0);
  const alone = await bundled([{ source: both, model: 'embed' }]);
  await expectModel(alone, 'embed');
  expect(alone.length).toBeLessThan(embed.length + 100);
});

test('a file of several models is opened by name, and says which there are', async () => {
  const refused = (options: object) => expect(openMsgpackStore(both, { name: 'both.prune', ...options })).rejects;
  await refused({}).toMatchObject({ code: 'invalid-argument', where: 'both.prune', wanted: 'one of qa, embed' });
  await refused({ model: 'x' }).toMatchObject({ code: 'missing', got: 'x', wanted: 'one of qa, embed' });
  await expect(openMsgpackStore(qa, { model: 'qa' })).rejects.toMatchObject({ code: 'missing', got: 'qa' });
});

test.each<[string, readonly (string | undefined)[]]>([
  ['none', []],
  ['missing', ['a', undefined]],
  ['equal', ['a', 'a']],
  ['empty', ['a', '']],
  ['with a #', ['a', 'b#c']],
  ['a path', ['a', 'b/c']],
])('names of models that are refused: %s', async (_, names) => {
  const models = names.map((name) => ({ source: qa, name }));
  await expect(bundled(models, { name: 'out.prune' })).rejects.toMatchObject({
    code: 'invalid-argument',
    where: 'out.prune',
  });
});

test('files of version 1 are bundled, and get their SHA-256', async () => {
  const old = readFileSync(versionOnePath('csr-gzip'));
  const sink = memorySink();
  await bundleModels(sink, [
    { source: old, name: 'old' },
    { source: qa, name: 'qa' },
  ]);
  const { integrity } = await openMsgpackStore(sink.bytes(), { model: 'old' });
  const store = await openMsgpackStore(sink.bytes(), { model: 'old', integrity });
  expect(await firstDifference(await openMsgpackStore(old), store)).toBeUndefined();
});

test('with a base: what it has is left out, and read from it', async () => {
  const based = await bundled([{ source: embed }], { bases: [{ name: 'qa.prune', source: qa }] });
  expect(based.length).toBeLessThan(2000);
  const asked: string[] = [];
  const openBase = async (name: string) => {
    asked.push(name);
    return qa;
  };
  const store = await expectModel(based, 'embed', { openBase });
  expect(asked).toEqual(['qa.prune']);
  expect(store.info('table')).toMatchObject({ base: 'qa.prune' });
  expect(store.info('embed.weight')?.base).toBeUndefined();
  await expectModel(based, 'embed', { openBase, integrity: store.integrity });
  const summary = await summarizeContainer(based);
  expect(summary.bases).toEqual(['qa.prune']);
  expect(summary.models[0].baseBytes).toBeGreaterThan(20_000);
  // Bundled without the base, the model is whole again.
  expect(Buffer.compare(await bundled([{ source: based, openBase }]), embed)).toBe(0);
});

test('a base that is missing, another file, of version 1, damaged or broken', async () => {
  const based = await bundled([{ source: embed }], { bases: [{ name: 'qa.prune', source: qa }] });
  const read = async (openBase?: (name: string) => Promise<ByteSource | undefined>) => {
    const store = await openMsgpackStore(based, { name: 'f.prune', codecs, openBase });
    // What lies in the file itself is read without the base.
    expect(await store.get('embed.small')).toBeDefined();
    expect(await store.get('embed.weight')).toBeDefined();
    return store.get('table');
  };
  const where = { where: 'f.prune', tensor: 'table' };
  const what = 'base "qa.prune" is missing';
  await expect(read()).rejects.toMatchObject({ code: 'missing', what, ...where });
  await expect(read(async () => undefined)).rejects.toMatchObject({ code: 'missing', what, ...where });
  const failing = read(async () => {
    throw new Error('the network is down');
  });
  await expect(failing).rejects.toMatchObject({ code: 'io', ...where });
  const other = await bundled([{ source: readFileSync(versionOnePath('raw')) }]);
  await expect(read(async () => other)).rejects.toMatchObject({
    code: 'mismatch',
    what: expect.stringMatching(/base "qa.prune".*block \d+/),
    ...where,
  });
  const old = readFileSync(versionOnePath('raw'));
  await expect(read(async () => old)).rejects.toMatchObject({ code: 'mismatch', where: 'f.prune, base "qa.prune"' });
  const damaged = qa.slice();
  damaged[60] ^= 1;
  await expect(read(async () => damaged)).rejects.toMatchObject({ code: 'corrupt', where: 'f.prune, base "qa.prune"' });
  await expect(read(async () => qa.subarray(0, 40))).rejects.toMatchObject({ code: 'truncated', tensor: 'table' });
  await expect(bundled([{ source: embed }], { bases: [{ name: 'old.prune', source: old }] })).rejects.toMatchObject({
    code: 'unsupported',
    where: 'old.prune',
  });
});

test('a base that comes later is found then', async () => {
  const based = await bundled([{ source: embed }], { bases: [{ name: 'qa.prune', source: qa }] });
  let there = false;
  const store = await openMsgpackStore(based, { codecs, openBase: async () => (there ? qa : undefined) });
  await expect(store.get('table')).rejects.toMatchObject({ code: 'missing' });
  there = true;
  expect(await store.get('table')).toEqual(table);
});

test('a damaged block is not copied, nothing is committed, and every source is closed', async () => {
  const damaged = qa.slice();
  damaged[60] ^= 1;
  let closed = 0;
  const source = (bytes: Uint8Array): ByteSource => ({
    name: 'in.prune',
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
    close: async () => {
      closed++;
    },
  });
  const sink = memorySink();
  const work = bundleModels(sink, [
    { source: source(embed), name: 'embed' },
    { source: source(damaged), name: 'qa' },
  ]);
  // The table is the one of embed, so the damaged copy is not even read; the other blocks are whole.
  await expect(work).resolves.toBeUndefined();
  const failing = bundleModels(sink, [{ source: source(damaged) }]);
  await expect(failing).rejects.toMatchObject({ code: 'corrupt', where: 'in.prune' });
  expect(sink.bytes()).toHaveLength(0);
  expect(closed).toBe(3);
  const signal = AbortSignal.abort();
  await expect(bundleModels(memorySink(), [{ source: qa }], { signal })).rejects.toMatchObject({ code: 'aborted' });
});

test('a large block is copied in small pieces', async () => {
  const big = tensor('uint8', [2_000_000], new Uint8Array(2_000_000).fill(7));
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: codecList('raw') }), new Map([['big', big]]), {});
  const bytes = sink.bytes();
  let largest = 0;
  const source: ByteSource = {
    size: bytes.length,
    async read(offset, length) {
      largest = Math.max(largest, length);
      return bytes.slice(offset, offset + length);
    },
  };
  const copy = memorySink();
  await bundleModels(copy, [{ source }]);
  expect(Buffer.compare(copy.bytes(), bytes)).toBe(0);
  expect(largest).toBeLessThanOrEqual(2 ** 18);
});
