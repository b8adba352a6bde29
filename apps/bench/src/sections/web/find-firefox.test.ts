import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { findFirefox } from './find-firefox.js';

it('takes what PRUNE_FIREFOX names, or else the first executable on the PATH', async () => {
  expect(findFirefox({})).toBeUndefined();
  expect(findFirefox({ PRUNE_FIREFOX: '/a/firefox', PATH: '/b' })).toBe('/a/firefox');
  const folder = await mkdtemp(join(tmpdir(), 'prune-firefox-'));
  const path = join(folder, 'firefox');
  await writeFile(path, '');
  await chmod(path, 0o600);
  const PATH = ['', '/not/there', folder].join(delimiter);
  expect(findFirefox({ PATH })).toBeUndefined();
  await chmod(path, 0o700);
  expect(findFirefox({ PATH })).toBe(path);
  await rm(folder, { recursive: true });
});
