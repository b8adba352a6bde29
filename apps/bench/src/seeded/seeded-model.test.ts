import { createHash } from 'node:crypto';
import type { Tensor } from '@prune/core';
import { describe, expect, it } from 'vitest';
import { type SeededModelOptions, seededModel } from './seeded-model.js';

const SMALL = { layers: 2, hidden: 96, heads: 4, intermediate: 384, vocabulary: 50, positions: 16 } as const;

async function tensors(options: SeededModelOptions): Promise<Map<string, Tensor>> {
  const { stateDict } = seededModel(options);
  const all = new Map<string, Tensor>();
  for (const name of stateDict.keys()) all.set(name, (await stateDict.get(name))!);
  return all;
}

function sha256(all: Map<string, Tensor>): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of all)
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}

function encoderDensity(all: Map<string, Tensor>): number {
  const matrices = [...all].filter(([name, { shape }]) => name.includes('encoder') && shape.length === 2);
  const kept = matrices.map(([, { data }]) =>
    (data as Float32Array).reduce((count, w) => count + (w === 0 ? 0 : 1), 0),
  );
  const size = matrices.map(([, { data }]) => data.length);
  return kept.reduce((a, b) => a + b) / size.reduce((a, b) => a + b);
}

describe('seededModel', () => {
  it('no layer: embeddings, pooler and head alone', () => {
    expect([...seededModel({ ...SMALL, layers: 0 }).stateDict.keys()]).toHaveLength(9);
    expect(seededModel().stateDict.get('bert.encoder.layer.12.output.dense.weight')).toBeUndefined();
  });

  it('is BERT-base sized by default: 438 MB', () => {
    const parameters = [...seededModel().shapes.values()].map((shape) => shape.reduce((a, b) => a * b));
    expect(4 * parameters.reduce((a, b) => a + b)).toBe(437_935_112);
  });

  it('is the same on every machine; another with another seed', async () => {
    expect(sha256(await tensors({ ...SMALL, density: 0.1 }))).toMatchInlineSnapshot(
      `"3fb9d1eb2fbca34bea9fc068f485fbf3481fcb1302d1f3c83b9d848e76b6b928"`,
    );
    expect(sha256(await tensors({ ...SMALL, density: 0.1, seed: 2 }))).toMatchInlineSnapshot(
      `"1afa947e3d6bfa4346137797ee04a3e6838ae499056b2708f44e7924c411f89d"`,
    );
  });

  it.each([0.03, 0.1, 0.5, 0.9])('keeps about %f of the encoder', async (density) => {
    expect(Math.abs(encoderDensity(await tensors({ ...SMALL, density })) / density - 1)).toBeLessThan(0.05);
  });

  it('rows and columns are unequal, and matrices that share neurons share their densities', async () => {
    const all = await tensors({ ...SMALL, hidden: 384, intermediate: 1536, density: 0.1 });
    const rows = rowCounts(all.get('bert.encoder.layer.0.intermediate.dense.weight')!);
    const columns = columnCounts(all.get('bert.encoder.layer.0.output.dense.weight')!);
    const strangers = columnCounts(all.get('bert.encoder.layer.1.output.dense.weight')!);
    expect(deviation(rows) / mean(rows)).toBeGreaterThan(0.4);
    expect(correlation(rows, columns)).toBeGreaterThan(0.5);
    expect(Math.abs(correlation(rows, strangers))).toBeLessThan(0.15);
  });
});

function rowCounts(matrix: Tensor): number[] {
  return counts(matrix, (element, columns) => Math.floor(element / columns), matrix.shape[0]);
}

function columnCounts(matrix: Tensor): number[] {
  return counts(matrix, (element, columns) => element % columns, matrix.shape[1]);
}

function counts({ data, shape }: Tensor, bin: (element: number, columns: number) => number, bins: number): number[] {
  const result = new Array<number>(bins).fill(0);
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) result[bin(i, shape[1])]++;
  return result;
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: number[]) => Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)));
const correlation = (a: number[], b: number[]) =>
  (mean(a.map((v, i) => v * b[i])) - mean(a) * mean(b)) / (deviation(a) * deviation(b));
