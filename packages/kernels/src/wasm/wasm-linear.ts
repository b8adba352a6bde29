import { PruneError } from '@prune/core';
import type { LinearMode } from '../reference/linear.js';
import { checkLinear } from '../spec/check-linear.js';
import { checkTokens } from '../spec/check-tokens.js';
import type { AnyLinear } from '../spec/encoder-spec.js';
import type { LoadedLinear } from '../spec/loaded-linear.js';
import {
  FAULT,
  FLOAT_ROW_BYTES,
  LANES,
  PLAN_FIELDS,
  type Plan,
  PROFILES,
  SCRATCH_FIXED,
  writeConstants,
  writePlan,
} from './memory-map.js';
import { mapLanes } from './plan-batch.js';
import { WeightMemory } from './weight-memory.js';

interface Exports {
  loadLinearInput(): void;
  applyLinear(tile: number): void;
}

const NO_PLAN = Object.fromEntries(PLAN_FIELDS.map((name) => [name, 0])) as Plan;

/** What a Linear runs on. */
export interface LinearTarget {
  /** Compiled for shared memory or not. */
  readonly module: WebAssembly.Module;
  readonly shared: boolean;
  /** Whether its relaxed multiply-add rounds once here. */
  readonly fused: boolean;
  /** Whether it sums four products at once. */
  readonly dot4: boolean;
}

/** A Linear in WebAssembly, with a memory and an instance of its own, on the calling thread; see `Engine.loadLinear`. */
export function loadWasmLinear(
  linear: AnyLinear,
  { profile, rowwise }: LinearMode,
  tensor: string,
  { module, fused, dot4, shared }: LinearTarget,
): LoadedLinear {
  const [rows, columns] = checkLinear(linear, undefined, undefined, { tensor });
  const weights = new WeightMemory(shared);
  const { memory } = weights;
  weights.addLinear(linear, { profile, dot4 }, tensor);
  writeConstants(memory.buffer);
  const layers = weights.finish();
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  return {
    rows,
    apply(x) {
      const tokens = checkTokens(x, columns);
      const y = new Float32Array(tokens * rows);
      if (tokens === 0) return y;
      const { tokenMap } = mapLanes({ lengths: Int32Array.of(tokens), keyLengths: Int32Array.of(tokens) });
      const tiles = Math.ceil(tokenMap.length / LANES);
      let end = weights.end;
      const take = (bytes: number) => {
        const address = end;
        end = Math.ceil((end + bytes) / 64) * 64;
        return address;
      };
      const input = take(x.byteLength);
      // One tile's results at a time: a vocabulary's for all tokens may be more than there is.
      const output = take(4 * Math.min(tokens, LANES) * rows);
      const plan: Plan = {
        ...NO_PLAN,
        tiles,
        lanes: tokenMap.length,
        hidden: columns,
        rowwise: rowwise ? 1 : 0,
        profile: PROFILES.indexOf(profile),
        threads: 1,
        fused: fused ? 1 : 0,
        dot4: dot4 ? 1 : 0,
        layers,
        io: input,
        tokenMap: take(tokenMap.byteLength),
        hiddenStates: take(tiles * columns * FLOAT_ROW_BYTES),
        expanded: take(rows * FLOAT_ROW_BYTES),
        ranges: take(64),
        rangeStride: 64,
        counters: take(64),
        scratch: take(SCRATCH_FIXED + columns * LANES),
      };
      // Vectors of the last lanes are read whole.
      weights.reserve(end + 64);
      new Float32Array(memory.buffer, input, x.length).set(x);
      new Int32Array(memory.buffer, plan.tokenMap, tokenMap.length).set(tokenMap);
      new Int32Array(memory.buffer, plan.counters, 1)[0] = 0;
      writePlan(memory.buffer, plan);
      exports.loadLinearInput();
      const fault = new Int32Array(memory.buffer, FAULT, 1);
      if (fault[0] !== 0) {
        fault[0] = 0;
        throw new PruneError('not-finite', {
          where: 'kernels',
          what: 'input of a Linear',
          got: 'NaN or an infinity',
          wanted: 'finite numbers',
        });
      }
      writePlan(memory.buffer, { ...plan, io: output });
      for (let tile = 0; tile < tiles; tile++) {
        exports.applyLinear(tile);
        const count = Math.min(LANES, tokens - tile * LANES) * rows;
        y.set(new Float32Array(memory.buffer, output, count), tile * LANES * rows);
      }
      return y;
    },
  };
}
