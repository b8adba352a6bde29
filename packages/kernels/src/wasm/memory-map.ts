import type { QuantizationProfile } from '@prune/core';
import { GELU_COEFFICIENTS, TANH_COEFFICIENTS } from '../reference/activate.js';
import { EXP_COEFFICIENTS, EXP_LIMIT, ROUNDING_MAGIC } from '../reference/exp.js';

// The twin of assembly/memory.ts, which describes the map.

/** Tokens of a tile. */
export const LANES = 32;
/** Bytes of a feature's float32 row in a tile. */
export const FLOAT_ROW_BYTES = 4 * LANES;
/** Queries of attention that are computed together, at most. */
export const QUERY_BLOCK = 16;
/** Rows that are computed together, between which threads may share a matrix of one block. */
export const CHUNK = 16;

const PLAN = 1024;
export const JOB = 2048 + 384;
export const FAULT = 2048 + 512;
export const FAULT_INPUT = 1;
export const FIRST_FREE = 4096;

/** The profiles by the plan's numbers. */
export const PROFILES: readonly QuantizationProfile[] = ['fbgemm', 'fbgemm-1.5', 'qnnpack'];

/** The plan's int32 fields in their order. */
export const PLAN_FIELDS = [
  'tiles',
  'lanes',
  'hidden',
  'intermediate',
  'heads',
  'activation',
  'rowwise',
  'int16',
  'profile',
  'threads',
  'firstLayer',
  'endLayer',
  'parts',
  'layers',
  'sequences',
  'sequenceCount',
  'tokenMap',
  'io',
  'hiddenStates',
  'qkv',
  'context',
  'middle',
  'expanded',
  'ranges',
  'counters',
  'scratch',
  'scratchStride',
  'eps',
  'queryScale',
  'fused',
  'maxKeys',
  'spins',
  'rangeStride',
  'mainWaits',
  'loads',
  'inputWeight',
  'inputBias',
  'dot4',
] as const;

export type Plan = Record<(typeof PLAN_FIELDS)[number], number>;

/** These two are float32. */
const FLOAT_FIELDS: ReadonlySet<string> = new Set(['eps', 'queryScale']);

/** Writes the plan. */
export function writePlan(buffer: ArrayBufferLike, plan: Plan): void {
  const view = new DataView(buffer, PLAN);
  PLAN_FIELDS.forEach((name, index) => {
    if (FLOAT_FIELDS.has(name)) view.setFloat32(4 * index, plan[name], true);
    else view.setInt32(4 * index, plan[name], true);
  });
}

/** Writes the constants, each in all four lanes. */
export function writeConstants(buffer: ArrayBufferLike): void {
  const floats = [
    Math.LOG2E,
    ...EXP_COEFFICIENTS,
    ROUNDING_MAGIC,
    EXP_LIMIT,
    -EXP_LIMIT,
    1,
    ...GELU_COEFFICIENTS,
    0.5,
    ...TANH_COEFFICIENTS,
  ];
  const view = new DataView(buffer);
  const write = (index: number, set: (at: number) => void) => {
    for (let lane = 0; lane < 4; lane++) set(16 * index + 4 * lane);
  };
  for (const [index, value] of floats.entries()) write(index, (at) => view.setFloat32(at, value, true));
  for (const [index, value] of [0x7fffffff, 0xffff, 1, 0x43300000, 0xff00ff00].entries()) {
    write(floats.length + index, (at) => view.setInt32(at, value, true));
  }
  for (let half = 0; half < 2; half++) view.setFloat64(16 * (floats.length + 5) + 8 * half, 2 ** 52 + 2 ** 31, true);
}

export const LINEAR_BYTES = 48;
export const LAYER_BYTES = 6 * LINEAR_BYTES + 16;
/** Bytes of a thread's scratch before its larger parts. */
export const SCRATCH_FIXED = 896;
/** Phases of a layer, and the two around all layers. */
export const LAYER_PHASES = 7;
export const OTHER_PHASES = 2;
/** Ranges of a layer. */
export const LAYER_RANGES = 4;
