import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findModel, storeOfName } from './model-path.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-model-path-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a name says its store, whatever its case', () => {
  const stores = ['x.prune', 'x.h5', 'x.hdf5', 'a.prune/x.H5'].map((path) => storeOfName(path));
  expect(stores).toEqual(['msgpack', 'h5', 'h5', 'h5']);
  expect(storeOfName('x.bin', 'h5')).toBe('h5');
});

// The second row: what every object has.
test.each([
  ...['', 'x', 'x.bin', '.prune/x'],
  ...['x.constructor', 'x.toString', 'x.valueOf', 'x.hasOwnProperty', 'x.__proto__'],
])('%j does not say a store', async (name) => {
  expect(() => storeOfName(name)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(storeOfName(name, 'msgpack')).toBe('msgpack');
});

test('what no name and no first bytes say is taken for a checkpoint', async () => {
  for (const name of ['x', 'x.bin', 'x.constructor']) {
    const path = join(folder, name);
    writeFileSync(path, 'text');
    expect(await findModel(path)).toEqual({ form: 'checkpoint' });
  }
  const path = join(folder, 'x.prune');
  writeFileSync(path, 'text');
  await expect(findModel(path)).rejects.toMatchObject({ code: 'corrupt', got: '74 65 78 74' });
});

test('a file that is named as HDF5 may have a user block before it', async () => {
  const path = join(folder, 'x.h5');
  for (const at of [0, 512, 2048]) {
    writeFileSync(path, Buffer.concat([Buffer.alloc(at), Buffer.from('\x89HDF\r\n\x1a\n', 'latin1')]));
    expect(await findModel(path)).toEqual({ form: 'h5' });
  }
  writeFileSync(path, Buffer.concat([Buffer.alloc(513), Buffer.from('\x89HDF\r\n\x1a\n', 'latin1')]));
  await expect(findModel(path)).rejects.toMatchObject({ code: 'corrupt' });
});
