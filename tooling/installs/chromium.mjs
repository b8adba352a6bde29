import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { root } from '../pnpm.mjs';

// Tests find Chromium by the same code, which is TypeScript; Node 20 cannot load that.
const source = readFileSync(join(root, 'tooling/fixtures/src/find-chromium.ts'), 'utf8');
const { code } = transformSync(source, { loader: 'ts' });

export const { findChromium } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
