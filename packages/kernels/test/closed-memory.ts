import { readFileSync } from 'node:fs';
import { codeOf } from '@prune/fixtures';
import { type AnyLinear, createEngine, type Encoder } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { normals, random, randomLayers } from './random-encoder.js';

// What closed-memory.test.ts measures, each in a process of its own.

const HIDDEN = 64;
const input = normals(random(2), 40 * HIDDEN);
const spec = {
  layers: randomLayers(random(1), 2, HIDDEN, 128, { density: 0.5 }),
  heads: 2,
  activation: 'gelu',
  layerNormEps: 1e-12,
  profile: 'fbgemm',
} as const;
const query = spec.layers[0].query as AnyLinear;
const mode = { profile: 'fbgemm', rowwise: false } as const;

/**
 * Resident memory, and the addresses that the process has set aside, in bytes; 0 for these where there is no /proc,
 * which is not Linux.
 */
function memory() {
  let addresses = 0;
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    addresses = 1024 * Number(/^VmSize:\s*(\d+) kB$/m.exec(status)?.[1]);
  } catch {}
  return { resident: process.memoryUsage.rss(), addresses };
}

/** Garbage collection frees what was let go, in more than one turn where it was shared with threads. */
async function collect() {
  for (let i = 0; i < 5; i++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * Loads, uses and closes an encoder and a Linear many times on one engine, and keeps what it closed. Gives how much
 * more resident memory and addresses there are after the last round than after the first 10.
 */
export async function closesOften({ threads, rounds }: { threads: number; rounds: number }) {
  const engine = await createEngine({ threads, threadHost: workerThreads });
  const kept: object[] = [];
  let early = memory();
  for (let round = 1; round <= rounds; round++) {
    const encoder = await engine.loadEncoder(spec);
    const linear = engine.loadLinear(query, mode);
    await encoder.forward(input, [40]);
    linear.apply(input);
    kept.push(encoder, linear);
    await encoder.close();
    linear.close();
    if (round % 10 === 0) await collect();
    if (round === 10) early = memory();
  }
  await collect();
  const late = memory();
  await engine.close();
  return {
    kept: kept.length,
    resident: late.resident - early.resident,
    addresses: late.addresses - early.addresses,
  };
}

/**
 * Takes all addresses there are, then asks for an engine and more encoders and Linears; lets go of some, and asks
 * again.
 */
export async function withoutAddresses() {
  const engine = await createEngine({ threads: 2, threadHost: workerThreads });
  const encoder: Encoder = await engine.loadEncoder(spec);
  const { last } = await encoder.forward(input, [40]);
  let taken: object[] = [];
  try {
    for (;;) taken.push(new WebAssembly.Memory({ initial: 1, maximum: 32767 }));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const memories = taken.length;
  const codes = [
    await codeOf(() => engine.loadEncoder(spec)),
    await codeOf(() => engine.loadLinear(query, mode)),
    await codeOf(() => createEngine({ kernels: 'wasm-simd' })),
    await codeOf(() => createEngine()),
  ];
  const same = async (from: Encoder) =>
    (await from.forward(input, [40])).last.every((value, i) => Object.is(value, last[i]));
  const works = [await same(encoder)];
  taken = [];
  await collect();
  works.push(await same(await engine.loadEncoder(spec)), await same(encoder));
  await engine.close();
  return { memories: memories > 100, codes, works };
}
