import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the licence of msgpackr, which is bundled, is in the package', () => {
  expect(text('../THIRD-PARTY-NOTICES')).toContain(text('../node_modules/msgpackr/LICENSE').trim());
  expect(JSON.parse(text('../package.json')).files).toContain('THIRD-PARTY-NOTICES');
});
