import { Pacer } from '@prune/core';
import { expect, test } from 'vitest';
import { joinPlanes } from './join-planes.js';

test('no elements', async () => {
  expect(await joinPlanes(new Uint8Array(), 4, new Pacer())).toEqual(new Uint8Array());
});

test.each([1, 2, 3, 4, 8])(
  'elements of %i bytes, from planes that begin anywhere, in several blocks',
  async (width) => {
    const count = 70_001;
    const elements = Uint8Array.from({ length: count * width }, (_, i) => (i * 31) & 255);
    const planes = new Uint8Array(count * width + 1).subarray(1);
    for (let i = 0; i < elements.length; i++) planes[(i % width) * count + Math.floor(i / width)] = elements[i];
    expect(Buffer.compare(await joinPlanes(planes, width, new Pacer()), elements)).toBe(0);
  },
);
