import {
  ITEMS_BYTES, LAYER_BYTES, LAYER_LINEARS, LAYER_NORMS, LINEAR_BYTES, NORM_PARAMETERS, planDot4, planFused, planItems, planLayers,
  planScratch, planScratchStride, SCRATCH_BYTES, SCRATCH_STEPS, scratchSteps,
} from './generated/layout';

// How the kernels reach what src/wasm/layout.ts describes.

// WIDE, a constant of the build: these kernels are for an engine that joins vectors in pairs of 256 bits (V8's revectorization: it starts from two
// stores side by side, and follows what is stored back to two equal trees of loads side by side, splats and everything between). What is
// computed is the same; what differs is the order of a whole tile's tokens (quantize.ts, sparse.ts) and the queries of a block (attention.ts).
// Everywhere else code is written so that both builds profit: two vectors at a time, sums of their own, the same instructions for both.

/** One of CONSTANTS whose numbers have 32 bits. A load is cheaper than a splat that the compiler rebuilds in every loop. */
@inline export function constant(index: i32): v128 {
  return WIDE ? v128.load_splat<u32>(index << 4) : v128.load(index << 4);
}

/** One of CONSTANTS whose numbers have 64 bits. */
@inline export function constant64(index: i32): v128 { return v128.load(index << 4); }

/** Whether the relaxed multiply-add rounds once here. */
@inline export function roundsOnce(): bool { return ASC_FEATURE_RELAXED_SIMD && planFused(); }
/** Whether weight streams hold quads, and quantized tiles are in the order that these read. */
@inline export function readsQuads(): bool { return ASC_FEATURE_RELAXED_SIMD && planDot4(); }

@inline export function layerAt(layer: i32): i32 { return planLayers() + layer * LAYER_BYTES; }
@inline export function linearAt(layer: i32, which: i32): i32 { return layerAt(layer) + LAYER_LINEARS + which * LINEAR_BYTES; }
/** The address of a LayerNorm's weight or bias. */
@inline export function normAt(layer: i32, which: i32, parameter: i32): i32 {
  return load<i32>(layerAt(layer) + LAYER_NORMS + ((NORM_PARAMETERS * which + parameter) << 2));
}

/** The ITEMS of a phase of the pass. */
@inline export function itemsOf(phase: i32): i32 { return planItems() + phase * ITEMS_BYTES; }

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
/** Says that this thread is alive. Called for a few rows or queries at a time, however large the batch is. */
@inline export function step(): void { store<i32>(scratch, scratchSteps(scratch) + 1, SCRATCH_STEPS); }
/** Quantized activations of a tile: [features][32] bytes. */
@inline export function quantizedTile(): i32 { return scratch + SCRATCH_BYTES; }
/** Attention has all of it to itself. */
@inline export function attentionScratch(): i32 { return scratch + SCRATCH_BYTES; }
