import { expect, test } from 'vitest';

const tool: string = new URL('../../node-range.mjs', import.meta.url).href;
const { inNodeRange }: { inNodeRange(version: string, range: string): boolean } = await import(tool);

test.each([
  ['20.19.0', true],
  ['20.20.2', true],
  ['24.0.0', true],
  ['26.1.0', true],
  ['20.18.3', false],
  ['18.20.8', false],
  ['21.7.3', false],
  ['23.11.0', false],
])('Node %s', (version, isIn) => {
  expect(inNodeRange(version, '^20.19.0 || >=24.0.0')).toBe(isIn);
});
