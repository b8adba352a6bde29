import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test.each(['msgpackr', '@noble/hashes'])('the licence of %s, which is bundled, is in the package', (name) => {
  expect(text('../THIRD-PARTY-NOTICES')).toContain(text(`../node_modules/${name}/LICENSE`).trim());
  expect(JSON.parse(text('../package.json')).files).toContain('THIRD-PARTY-NOTICES');
});
