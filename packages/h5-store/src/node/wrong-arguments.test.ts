import { codeOf, WRONG_ARGUMENTS } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { openH5Store } from '../open-h5-store.js';
import { createH5File } from './create-h5-file.js';
import { openH5File } from './open-h5-file.js';

test.each(Object.entries(WRONG_ARGUMENTS))(
  '%s in place of a path or of bytes: invalid-argument',
  async (name, value) => {
    if (name !== 'bytes') expect(await codeOf(() => openH5Store(null, value as never))).toBe('invalid-argument');
    if (name === 'a path') return;
    expect(await codeOf(() => openH5File(null, value as never))).toBe('invalid-argument');
    expect(await codeOf(() => createH5File(value as never))).toBe('invalid-argument');
  },
);

test('a path alone: the message says that it comes second', async () => {
  const openByPath = openH5File as unknown as (path: string) => Promise<unknown>;
  await expect(openByPath('model.h5')).rejects.toThrow(
    'h5-store: path of openH5File(h5wasm, path), got [object Undefined], wanted the name of a file, after h5wasm or null',
  );
});
