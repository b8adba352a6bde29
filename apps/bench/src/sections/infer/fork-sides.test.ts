import { expect, it } from 'vitest';
import { forkSides } from './fork-sides.js';
import type { SideSpec } from './side.js';

it('no side', async () => {
  expect(await forkSides(new Map(), () => {})).toEqual([]);
});

it('a runtime in Python that does not start is left out, with the reason', async () => {
  const spec: SideSpec = { runtime: 'openvino', python: 'no-such-python', file: 'm.onnx', threads: 1 };
  const missing: [string, string][] = [];
  const sides = await forkSides(new Map([['OpenVINO', spec]]), (side, why) => missing.push([side, why]));
  expect(sides).toEqual([]);
  expect(missing).toEqual([['OpenVINO', expect.stringContaining('ENOENT')]]);
});
