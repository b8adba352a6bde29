import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { checkPath } from './check-path.js';
import { fileSource } from './reading/file-source.js';
import { openMainFile } from './reading/open-main-file.js';
import { openSource } from './reading/open-source.js';
import { atomicFile } from './writing/atomic-file.js';
import { fileGroup } from './writing/file-group.js';
import { refuseExisting } from './writing/refuse-existing.js';
import { stagedFolder } from './writing/staged-folder.js';

test('a text passes', () => {
  expect(checkPath('model.prune')).toBeUndefined();
});

const CALLS = [fileSource, openSource, openMainFile, atomicFile, fileGroup, refuseExisting, stagedFolder];

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['bytes', new Uint8Array(3)],
  ['a promise', Promise.resolve('model.prune')],
  ['a URL', pathToFileURL('model.prune')],
])('%s is refused by everything that takes a path', async (_, value) => {
  for (const call of CALLS) {
    const called = (call as (...args: unknown[]) => Promise<unknown>)(value, () => {});
    await expect(called).rejects.toMatchObject({ code: 'invalid-argument', what: 'not a path' });
  }
});
