import { PruneError } from '@prune/core';
import type { LinearMode } from '../reference/linear.js';
import { checkFinite } from '../spec/check-batch.js';
import { checkLinear } from '../spec/check-linear.js';
import { checkTokens } from '../spec/check-tokens.js';
import type { AnyLinear } from '../spec/encoder-spec.js';
import type { LoadedLinear } from '../spec/loaded-linear.js';
import {
  CACHE_LINE_BYTES,
  CODE_ROW_BYTES,
  CONTROL,
  FAULTS,
  LANES,
  PLAN,
  type Plan,
  PROFILES,
  ROW_BYTES,
  SCRATCH,
} from './layout.js';
import { mapLanes } from './plan-batch.js';
import { roundUp } from './round-up.js';
import { WeightMemory } from './weight-memory.js';
import { writeConstants } from './write-constants.js';
import { writeStruct } from './write-struct.js';

interface Exports {
  loadLinearInput(): void;
  applyLinear(tile: number): void;
}

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
        end = roundUp(end + bytes, CACHE_LINE_BYTES);
        return address;
      };
      const input = take(x.byteLength);
      // One tile's results at a time: a vocabulary's for all tokens may be more than there is.
      const output = take(4 * Math.min(tokens, LANES) * rows);
      const plan = {
        tiles,
        lanes: tokenMap.length,
        hidden: columns,
        rowwise,
        profile: PROFILES.indexOf(profile),
        threads: 1,
        fused,
        dot4,
        layers,
        io: input,
        tokenMap: take(tokenMap.byteLength),
        hiddenStates: take(tiles * columns * ROW_BYTES),
        expanded: take(rows * ROW_BYTES),
        ranges: take(CACHE_LINE_BYTES),
        rangeStride: CACHE_LINE_BYTES,
        counters: take(4),
        scratch: take(SCRATCH.bytes + columns * CODE_ROW_BYTES),
      } satisfies Partial<Plan>;
      // Vectors of the last lanes are read whole.
      weights.reserve(end + CACHE_LINE_BYTES);
      new Float32Array(memory.buffer, input, x.length).set(x);
      new Int32Array(memory.buffer, plan.tokenMap, tokenMap.length).set(tokenMap);
      new Int32Array(memory.buffer, plan.counters, 1)[0] = 0;
      writeStruct(new DataView(memory.buffer), 0, PLAN, plan);
      exports.loadLinearInput();
      const fault = new Int32Array(memory.buffer, CONTROL.fields.fault.at, 1);
      if (FAULTS[fault[0]] !== 'none') {
        fault[0] = 0;
        throw new PruneError('not-finite', {
          where: 'kernels',
          what: 'input of a Linear',
          got: 'NaN or an infinity',
          wanted: 'finite numbers',
        });
      }
      writeStruct(new DataView(memory.buffer), 0, PLAN, { ...plan, io: output });
      for (let tile = 0; tile < tiles; tile++) {
        exports.applyLinear(tile);
        const count = Math.min(LANES, tokens - tile * LANES) * rows;
        const results = new Float32Array(memory.buffer, output, count);
        // Tile by tile, while the results are in the cache.
        checkFinite(results, 'results of a Linear', tensor);
        y.set(results, tile * LANES * rows);
      }
      return y;
    },
  };
}
