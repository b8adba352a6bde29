// The memory map. src/wasm/memory-map.ts is its twin: what is written there is read here, field for field.
//
//     0     constants, 16 bytes each (float32 x 4, all lanes equal); a load is cheaper than a splat that the compiler rebuilds in every loop
//     1024  the plan: int32 fields that say where everything is and what to do
//     2048  the barrier and the job word, a cache line each
//     4096  layer table, weight streams, parameters (written once, by the host)
//     ...   working memory of the largest batch so far: activations, ranges, counters, scratch of each thread
//
// Activations are tile-major and feature-major: [tile][feature][32 tokens] float32. A sequence starts at a multiple of 4 lanes; the lanes
// between two sequences repeat the last token of the first, so that ranges need no masks and vectors never straddle two sequences.

/** Tokens of a tile. */
export const LANES: i32 = 32;
/** Bytes of a feature's float32 or int32 row in a tile. */
export const ROW: i32 = 128;
/** Rows of a matrix that are computed together, between which threads may share it. */
export const CHUNK: i32 = 16;

// WIDE, a constant of the build: these kernels are for an engine that joins vectors in pairs of 256 bits (V8's revectorization: it starts from two
// stores side by side, and follows what is stored back to two equal trees of loads side by side, splats and everything between). What is
// computed is the same; what differs is the order of a whole tile's tokens (quantize.ts, sparse.ts) and the queries of a block (attention.ts).
// Everywhere else code is written so that both builds profit: two vectors at a time, sums of their own, the same instructions for both.

@inline export function constant(index: i32): v128 {
  return WIDE ? v128.load_splat<u32>(index << 4) : v128.load(index << 4);
}

export const LOG2_E: i32 = 0;
export const EXP_C: i32 = 1; // 5 of them
export const MAGIC: i32 = 6;
export const T_MAX: i32 = 7;
export const T_MIN: i32 = 8;
export const ONE: i32 = 9;
export const GELU_P: i32 = 10; // 6 of them
export const HALF: i32 = 16;
export const TANH_SCALE: i32 = 17;
export const TANH_CUBE: i32 = 18;
export const ABS_MASK: i32 = 19;
export const LOW_16: i32 = 20;
export const EVEN_16: i32 = 21; // int16 1, 0, 1, 0, ...
export const FLOAT64_HIGH: i32 = 22; // see linear.ts
export const HIGH_8: i32 = 23; // the high byte of each 16 bits
export const FLOAT64_OFFSET: i32 = 24; // float64 x 2, loaded as they are

const PLAN: i32 = 1024;

@inline function field(index: i32): i32 {
  return load<i32>(PLAN + (index << 2));
}

@inline export function planTiles(): i32 { return field(0); }
@inline export function planLanes(): i32 { return field(1); }
@inline export function planHidden(): i32 { return field(2); }
@inline export function planIntermediate(): i32 { return field(3); }
@inline export function planHeads(): i32 { return field(4); }
@inline export function planActivation(): i32 { return field(5); }
@inline export function planRowwise(): i32 { return field(6); }
@inline export function planInt16(): i32 { return field(7); }
@inline export function planProfile(): i32 { return field(8); }
@inline export function planThreads(): i32 { return field(9); }
@inline export function planFirstLayer(): i32 { return field(10); }
@inline export function planEndLayer(): i32 { return field(11); }
@inline export function planParts(): i32 { return field(12); }
@inline export function planLayers(): i32 { return field(13); }
@inline export function planSequences(): i32 { return field(14); }
@inline export function planSequenceCount(): i32 { return field(15); }
@inline export function planTokenMap(): i32 { return field(16); }
@inline export function planIo(): i32 { return field(17); }
@inline export function planHiddenStates(): i32 { return field(18); }
@inline export function planQkv(): i32 { return field(19); }
@inline export function planContext(): i32 { return field(20); }
@inline export function planMiddle(): i32 { return field(21); }
@inline export function planExpanded(): i32 { return field(22); }
@inline export function planRanges(): i32 { return field(23); }
@inline export function planCounters(): i32 { return field(24); }
@inline export function planScratch(): i32 { return field(25); }
@inline export function planScratchStride(): i32 { return field(26); }
@inline export function planEps(): f32 { return load<f32>(PLAN + (27 << 2)); }
@inline export function planQueryScale(): f32 { return load<f32>(PLAN + (28 << 2)); }
/** Whether the relaxed multiply-add rounds once here. */
@inline export function planFused(): bool { return ASC_FEATURE_RELAXED_SIMD && field(29) != 0; }
@inline export function planMaxKeys(): i32 { return field(30); }
@inline export function planSpins(): i32 { return field(31); }
@inline export function planRangeStride(): i32 { return field(32); }
@inline export function planMainWaits(): bool { return field(33) != 0; }
/** Whether the job starts with the caller's array. */
@inline export function planLoads(): bool { return field(34) != 0; }
/** Parameters of a LayerNorm over what is loaded, or 0. */
@inline export function planInputWeight(): i32 { return field(35); }
@inline export function planInputBias(): i32 { return field(36); }
/** Whether weight streams are of quads, and tiles in the order that these read. */
@inline export function planDot4(): bool { return ASC_FEATURE_RELAXED_SIMD && field(37) != 0; }

/** Threads that have arrived; how often all have; how many sleep until they have. */
export const BARRIER_COUNT: i32 = 2048;
export const BARRIER_TURN: i32 = 2048 + 128;
export const BARRIER_SLEEPERS: i32 = 2048 + 256;
/** Counts jobs; -1 ends the workers. */
export const JOB: i32 = 2048 + 384;
/** What was not finite, if anything. */
export const FAULT: i32 = 2048 + 512;
export const FAULT_INPUT: i32 = 1;
export const FAULT_ACTIVATION: i32 = 2;

// A layer in the table: six Linears, then four pointers to LayerNorm parameters.
export const LINEAR_BYTES: i32 = 48;
export const QUERY: i32 = 0;
export const KEY: i32 = 1;
export const VALUE: i32 = 2;
export const ATTENTION_OUTPUT: i32 = 3;
export const INTERMEDIATE: i32 = 4;
export const OUTPUT: i32 = 5;
export const LAYER_BYTES: i32 = 6 * LINEAR_BYTES + 16;

@inline export function layerAt(layer: i32): i32 { return planLayers() + layer * LAYER_BYTES; }
@inline export function linearAt(layer: i32, which: i32): i32 { return layerAt(layer) + which * LINEAR_BYTES; }
@inline export function normAt(layer: i32, which: i32): i32 { return load<i32>(layerAt(layer) + 6 * LINEAR_BYTES + (which << 2)); }

/** 0: int8 sparse. 1: float32 sparse. */
@inline export function linearKind(linear: i32): i32 { return load<i32>(linear); }
@inline export function linearRows(linear: i32): i32 { return load<i32>(linear, 4); }
@inline export function linearColumns(linear: i32): i32 { return load<i32>(linear, 8); }
@inline export function linearBlocks(linear: i32): i32 { return load<i32>(linear, 12); }
@inline export function linearBlockColumns(linear: i32): i32 { return load<i32>(linear, 16); }
/** uint32 [blocks][chunks]: where the chunk's part of the stream starts. */
@inline export function linearStarts(linear: i32): i32 { return load<i32>(linear, 20); }
/** float32 [rows], of a float Linear; -0 where there is none: x + -0 is x for every x, -0 too. */
@inline export function linearBias(linear: i32): i32 { return load<i32>(linear, 24); }

/** The units in which threads share a matrix, and the rows of each but the last. */
@inline export function linearChunks(linear: i32): i32 { return load<i32>(linear, 28); }
@inline export function linearChunkRows(linear: i32): i32 { return load<i32>(linear, 32); }
/** Whether every sum, whatever the activations, is a float32: below 2^24. */
@inline export function linearSmallSums(linear: i32): bool { return load<i32>(linear, 36) != 0; }

// Scratch of a thread: fixed parts first.
/** Intermediate results of a row. */
export const ROW_RESULTS: i32 = 0;
/** Where the stream's rows of a chunk begin. */
export const HEADERS: i32 = 128; // CHUNK of them
/** Running range: float bits of the largest value as int32 x 8, then of the smallest as uint32 x 8. */
export const RANGE: i32 = 256;
/** Per token, for activations quantized row by row: inverse scales, scales, zero points. */
export const TOKEN_INVERSE: i32 = 384;
export const TOKEN_SCALE: i32 = 512;
export const TOKEN_ZERO: i32 = 640;
/** The wide quantizer's: zero points less the bits of MAGIC. */
export const WIDE_ZERO: i32 = 768;
export const SCRATCH_FIXED: i32 = 896;

/** Two or four vectors side by side; the last first, which spares a store where an engine makes one of two. */
@inline export function storeBlock(vectors: i32, to: i32, a: v128, b: v128, c: v128, d: v128): void {
  if (vectors > 2) {
    v128.store(to, d, 48);
    v128.store(to, c, 32);
  }
  v128.store(to, b, 16);
  v128.store(to, a);
}

@inline export function storePair(to: i32, a: v128, b: v128): void { storeBlock(2, to, a, b, a, b); }

/** The thread's scratch, and where its larger parts are. Set once a job. */
export let scratch: i32 = 0;
export function setScratch(thread: i32): void {
  scratch = planScratch() + thread * planScratchStride();
}
/** Quantized activations of a tile: [features][32] bytes. */
@inline export function quantizedTile(): i32 { return scratch + SCRATCH_FIXED; }
/** Attention has all of it to itself. */
@inline export function attentionScratch(): i32 { return scratch + SCRATCH_FIXED; }
