import { expect, test } from 'vitest';
import { activate } from './activate.js';
import { exp } from './exp.js';
import { layerNorm } from './layer-norm.js';
import { softmax } from './softmax.js';

test('exp: within 3e-7 relative up to |x| = 1, and exactly 1 at 0', () => {
  expect(exp(0)).toBe(1);
  let worst = 0;
  for (let i = -200_000; i <= 200_000; i++) {
    const x = Math.fround(i / 200_000);
    worst = Math.max(worst, Math.abs(exp(x) / Math.exp(x) - 1));
  }
  expect(worst).toBeLessThan(3e-7);
  for (let x = -87; x < 87; x += 0.37) {
    const f = Math.fround(x);
    expect(Math.abs(exp(f) / Math.exp(f) - 1)).toBeLessThan(3e-7 + 1.5e-7 * Math.abs(f));
  }
  expect(exp(-1e30)).toBe(2 ** -126);
  expect(exp(1e30)).toBe(2 ** 126);
});

/** Phi by its series where it converges well, by its continued fraction in the tail. */
function normalCdf(x: number): number {
  if (x < 0) return 1 - normalCdf(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > 6) {
    let tail = x;
    for (let k = 60; k > 0; k--) tail = x + k / tail;
    return 1 - density / tail;
  }
  let term = x;
  let sum = x;
  for (let n = 1; term > 1e-18 * sum; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + density * sum;
}

test('gelu and gelu_new: within 1e-6', () => {
  expect(activate(0, 'gelu')).toBe(0);
  let worst = 0;
  let worstNew = 0;
  for (let i = -60_000; i <= 60_000; i++) {
    const x = Math.fround(i / 6000);
    worst = Math.max(worst, Math.abs(activate(x, 'gelu') - x * normalCdf(x)));
    const y = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    worstNew = Math.max(worstNew, Math.abs(activate(x, 'gelu_new') - 0.5 * x * (1 + Math.tanh(y))));
  }
  expect(worst).toBeLessThan(1e-6);
  expect(worstNew).toBeLessThan(1e-6);
  expect(activate(1e4, 'gelu')).toBe(1e4);
  expect(activate(-1e4, 'gelu')).toBe(0);
  expect([activate(-2, 'relu'), activate(2, 'relu')]).toEqual([0, 2]);
});

test('softmax and LayerNorm: empty, then by hand', () => {
  expect(softmax(new Float32Array(0), 3)).toEqual(new Float32Array(0));
  expect(softmax(Float32Array.of(1, 1, 1, 1, 0, -1000), 2)).toEqual(Float32Array.of(0.5, 0.5, 0.5, 0.5, 1, 2 ** -126));
  const parameters = { weight: Float32Array.of(1, 2), bias: Float32Array.of(0, 1) };
  expect(layerNorm(new Float32Array(0), parameters, 1e-12)).toEqual(new Float32Array(0));
  expect(layerNorm(Float32Array.of(3, 5), parameters, 0)).toEqual(Float32Array.of(-1, 3));
});
