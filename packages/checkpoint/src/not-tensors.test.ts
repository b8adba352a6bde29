import { join } from 'node:path';
import { casePath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { openCheckpoint } from './node/open-checkpoint.js';
import { openPytorch } from './open-pytorch.js';
import { openTensorFile } from './open-tensor-file.js';

test.each([
  ['lfs-pointer', 'a Git LFS pointer', 'git lfs pull'],
  ['html-page', 'a web page', 'the file itself'],
])('%s', async (name, got, wanted) => {
  await expect(openCheckpoint(casePath(name))).rejects.toMatchObject({
    code: 'unsupported',
    where: join(casePath(name), 'model.safetensors'),
    got,
    wanted: expect.stringContaining(wanted),
  });
});

test.each(['', 'hello, this is a text', 'version 1'])('another text: %j', async (text) => {
  const bytes = new TextEncoder().encode(text);
  await expect(openTensorFile(bytes)).rejects.toMatchObject({
    code: 'unsupported',
    got: `${bytes.length} unknown bytes`,
  });
  await expect(openPytorch(bytes)).rejects.toMatchObject({ code: 'unsupported', got: 'unknown bytes' });
});
