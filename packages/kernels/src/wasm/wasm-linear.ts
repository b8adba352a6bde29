import { PruneError } from '@prune/core';
import { openLinear } from '../open-linear.js';
import type { OpenParts } from '../open-parts.js';
import type { LinearMode } from '../reference/linear.js';
import { checkFinite } from '../spec/check-batch.js';
import { checkLinear } from '../spec/check-linear.js';
import { checkTokens } from '../spec/check-tokens.js';
import type { AnyLinear } from '../spec/encoder-spec.js';
import type { LoadedLinear } from '../spec/loaded-linear.js';
import { withinMemory } from '../within-memory.js';
import { instantiateKernels } from './instantiate-kernels.js';
import {
  CACHE_LINE_BYTES,
  CODE_ROW_BYTES,
  CONTROL,
  FAULTS,
  ITEMS,
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

/** A Linear in its memory. */
interface PackedLinear {
  readonly tensor: string;
  readonly rows: number;
  readonly columns: number;
  readonly weights: WeightMemory;
  readonly exports: Exports;
  readonly constant: Pick<Plan, 'rowwise' | 'profile' | 'fused' | 'dot4' | 'layers'>;
}

/**
 * A Linear in WebAssembly, with a memory and an instance of its own, on the calling thread; see `Engine.loadLinear`.
 * Closed, it keeps neither, and garbage collection frees both.
 */
export function loadWasmLinear(
  linear: AnyLinear,
  mode: LinearMode,
  tensor: string,
  target: LinearTarget,
  parts: OpenParts,
): LoadedLinear {
  const packed = pack(linear, mode, tensor, target);
  const { rows, weights } = packed;
  const work = {
    rows,
    get memoryBytes() {
      return weights.memory.buffer.byteLength;
    },
    apply: (x: Float32Array) => apply(x, packed),
  };
  return openLinear(work, tensor, parts);
}

function pack(
  linear: AnyLinear,
  { profile, rowwise }: LinearMode,
  tensor: string,
  { module, fused, dot4, shared }: LinearTarget,
): PackedLinear {
  const [rows, columns] = checkLinear(linear, undefined, undefined, { tensor });
  const weights = new WeightMemory(shared);
  weights.addLinear(linear, { profile, dot4 }, tensor);
  const layers = weights.finish();
  const exports = instantiateKernels(module, weights.memory) as unknown as Exports;
  const constant = { rowwise, profile: PROFILES.indexOf(profile), fused, dot4, layers };
  return { tensor, rows, columns, weights, exports, constant };
}

function apply(x: Float32Array, { tensor, rows, columns, weights, exports, constant }: PackedLinear): Float32Array {
  const { memory } = weights;
  const tokens = checkTokens(x, columns);
  const y = withinMemory('results of a Linear', () => new Float32Array(tokens * rows));
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
    ...constant,
    threads: 1,
    io: input,
    tokenMap: take(tokenMap.byteLength),
    hiddenStates: take(tiles * columns * ROW_BYTES),
    expanded: take(rows * ROW_BYTES),
    ranges: take(CACHE_LINE_BYTES),
    rangeStride: CACHE_LINE_BYTES,
    items: take(ITEMS.bytes),
    scratch: take(SCRATCH.bytes + columns * CODE_ROW_BYTES),
  } satisfies Partial<Plan>;
  // Vectors of the last lanes are read whole.
  weights.reserve(end + CACHE_LINE_BYTES);
  new Float32Array(memory.buffer, input, x.length).set(x);
  new Int32Array(memory.buffer, plan.tokenMap, tokenMap.length).set(tokenMap);
  writeStruct(new DataView(memory.buffer), plan.items, ITEMS, { end: tiles });
  writeStruct(new DataView(memory.buffer), 0, PLAN, plan);
  exports.loadLinearInput();
  checkFault(memory);
  writeStruct(new DataView(memory.buffer), 0, PLAN, { ...plan, io: output });
  for (let tile = 0; tile < tiles; tile++) {
    exports.applyLinear(tile);
    // A token of finite numbers can have a range that is not: its own scale is chosen when its tile is quantized.
    checkFault(memory);
    const count = Math.min(LANES, tokens - tile * LANES) * rows;
    const results = new Float32Array(memory.buffer, output, count);
    // Tile by tile, while the results are in the cache.
    checkFinite(results, 'results of a Linear', tensor);
    y.set(results, tile * LANES * rows);
  }
  return y;
}

/** Throws `not-finite` where the kernels found that the input, or the range of a token, is not finite. */
function checkFault(memory: WebAssembly.Memory): void {
  const fault = new Int32Array(memory.buffer, CONTROL.fields.fault.at, 1);
  if (FAULTS[fault[0]] === 'none') return;
  fault[0] = 0;
  throw new PruneError('not-finite', {
    where: 'kernels',
    what: 'input of a Linear',
    got: 'NaN or an infinity',
    wanted: 'finite numbers',
  });
}
