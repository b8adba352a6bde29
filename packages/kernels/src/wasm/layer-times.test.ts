import { expect, test } from 'vitest';
import { LayerTimes } from './layer-times.js';

test('nothing is known before the first layer', () => {
  const times = new LayerTimes();
  times.add({ tiles: 4, maxKeys: 128 }, 0, 5);
  expect(times.expected({ tiles: 4, maxKeys: 128 })).toBeUndefined();
});

test('scaled by tiles, and by keys where they are more', () => {
  const times = new LayerTimes();
  times.add({ tiles: 4, maxKeys: 128 }, 3, 6);
  expect(times.expected({ tiles: 4, maxKeys: 128 })).toBe(2);
  expect(times.expected({ tiles: 8, maxKeys: 64 })).toBe(4);
  expect(times.expected({ tiles: 8, maxKeys: 256 })).toBe(8);
});

test('the last measurement counts', () => {
  const times = new LayerTimes();
  times.add({ tiles: 1, maxKeys: 1 }, 1, 100);
  times.add({ tiles: 1, maxKeys: 1 }, 2, 2);
  expect(times.expected({ tiles: 1, maxKeys: 1 })).toBe(1);
});
