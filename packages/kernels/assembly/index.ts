import {
  ATTENTION_NORM, ATTENTION_OUTPUT, FAULT, FAULT_ACTIVATION, FAULT_INPUT, FAULT_NONE, FIRST_LAYER_PHASE, INPUT_PHASE_LOAD, INPUT_PHASE_STORE,
  INTERMEDIATE, itemsFirst, KEY, LANES, LAST_JOB, LAYER_PHASES, LAYER_RANGES, LINEAR_KIND_INT8, linearChunks, linearColumns, linearKind, linearRows,
  NORM_BIAS, NORM_WEIGHT, OUTPUT, OUTPUT_NORM, PHASE_ATTENTION, PHASE_ATTENTION_NORM, PHASE_ATTENTION_OUTPUT, PHASE_INTERMEDIATE, PHASE_OUTPUT,
  PHASE_OUTPUT_NORM, PHASE_QUERY_KEY_VALUE, PHASE_STORE, planContext, planEndPhase, planExpanded, planFirstPhase, planHidden, planHiddenStates, planInputBias,
  planInputWeight, planInt16, planIo, planLanes, planMiddle, planParts, planQkv, planRanges, planRangeStride, planRowwise, planThreads, planTiles,
  PUBLISHED_RANGE_BYTES, QUERY, RANGE_OF_CONTEXT, RANGE_OF_EXPANDED, RANGE_OF_HIDDEN, RANGE_OF_MIDDLE, ROW_BYTES, VALUE,
} from './generated/layout';
import { itemsOf, linearAt, normAt, setScratch } from './memory';
import { attendFloat, setLayerHeads } from './attention';
import { attendInt16 } from './attention-int16';
import { layerNormTile } from './layer-norm';
import { ACTIVATE, ADD, linearTile, STORE } from './linear';
import { chooseFrom, quantizeTile } from './quantize';
import { isFinite, publishRange, resetRange } from './range';
import { barrier, nextItem, nextJob, NO_ITEM, setThread, thread } from './threads';
import { loadTile, storeTile } from './transpose';

/** What the quantized tile of this thread holds: a phase and a tile. */
let held: i32 = -1;

@inline function tileAt(buffer: i32, features: i32, tile: i32): i32 { return buffer + tile * features * ROW_BYTES; }
@inline function vectorsOf(tile: i32): i32 { return (min(LANES, planLanes() - tile * LANES) + 3) >> 2; }

/** The first fault of a job is the one that the host hears of: what was not finite makes more of it. */
function fault(which: i32): void { if (load<i32>(FAULT) == FAULT_NONE) store<i32>(FAULT, which); }

function rangeSlot(layer: i32, which: i32): i32 { return planRanges() + (layer * LAYER_RANGES + which) * planRangeStride(); }

/** Begins the range of a phase, or goes on with what this thread has seen of it in the jobs before. */
function startRange(phase: i32): void { if (itemsFirst(itemsOf(phase)) == 0) resetRange(); }

function publish(layer: i32, which: i32): void { publishRange(rangeSlot(layer, which) + thread * PUBLISHED_RANGE_BYTES); }

/** The tile as bytes in this thread's scratch, unless it is there already. */
function quantize(phase: i32, tile: i32, x: i32, columns: i32): void {
  const key = phase * planTiles() + tile;
  if (held == key) return;
  held = key;
  if (!quantizeTile(x, columns, vectorsOf(tile))) fault(FAULT_ACTIVATION);
}

/**
 * One Linear over all tiles, shared out in parts of its rows. Everything that a tile's part needs from the tile is computed by the thread that
 * takes it; parts is 1 where there are enough tiles for the threads.
 */
function linearPhase(phase: i32, layer: i32, which: i32, x: i32, range: i32, out: i32, outFeatures: i32, residual: i32, then: i32): void {
  const linear = linearAt(layer, which);
  const columns = linearColumns(linear);
  const parts = planParts();
  const chunks = linearChunks(linear);
  if (linearKind(linear) == LINEAR_KIND_INT8 && !planRowwise() && !chooseFrom(rangeSlot(layer, range))) fault(FAULT_ACTIVATION);
  for (let item = nextItem(phase); item != NO_ITEM; item = nextItem(phase)) {
    const tile = item / parts;
    const part = item - tile * parts;
    const from = tileAt(x, columns, tile);
    if (linearKind(linear) == LINEAR_KIND_INT8) quantize(phase, tile, from, columns);
    linearTile(
      linear, from, vectorsOf(tile), chunks * part / parts, chunks * (part + 1) / parts, tileAt(out, outFeatures, tile),
      tileAt(residual, outFeatures, tile), then,
    );
  }
}

@inline function isInt8(layer: i32, which: i32): bool { return linearKind(linearAt(layer, which)) == LINEAR_KIND_INT8; }

/** Query, key and value: three Linears that read the same quantized tile. */
function queryKeyValue(phase: i32, layer: i32): void {
  const hidden = planHidden();
  const parts = planParts();
  const any = isInt8(layer, QUERY) || isInt8(layer, KEY) || isInt8(layer, VALUE);
  if (any && !planRowwise() && !chooseFrom(rangeSlot(layer, RANGE_OF_HIDDEN))) fault(FAULT_ACTIVATION);
  for (let item = nextItem(phase); item != NO_ITEM; item = nextItem(phase)) {
    const tile = item / parts;
    const part = item - tile * parts;
    const from = tileAt(planHiddenStates(), hidden, tile);
    if (any) quantize(phase, tile, from, hidden);
    for (let which = QUERY; which <= VALUE; which++) {
      const linear = linearAt(layer, which);
      const chunks = linearChunks(linear);
      linearTile(
        linear, from, vectorsOf(tile), chunks * part / parts, chunks * (part + 1) / parts,
        tileAt(planQkv(), 3 * hidden, tile) + which * hidden * ROW_BYTES, 0, STORE,
      );
    }
  }
}

function attentionPhase(phase: i32, layer: i32): void {
  setLayerHeads(layer);
  const int16 = planInt16();
  startRange(phase);
  for (let item = nextItem(phase); item != NO_ITEM; item = nextItem(phase)) {
    if (int16) {
      if (!attendInt16(item)) fault(FAULT_ACTIVATION);
    } else attendFloat(item);
  }
  publish(layer, RANGE_OF_CONTEXT);
}

function normPhase(phase: i32, layer: i32, which: i32, x: i32, y: i32): void {
  const hidden = planHidden();
  startRange(phase);
  for (let tile = nextItem(phase); tile != NO_ITEM; tile = nextItem(phase)) {
    layerNormTile(
      tileAt(x, hidden, tile), tileAt(y, hidden, tile), normAt(layer, which, NORM_WEIGHT), normAt(layer, which, NORM_BIAS), vectorsOf(tile),
    );
  }
  // The range of the output is the next layer's first.
  publish(layer + which, which == ATTENTION_NORM ? RANGE_OF_MIDDLE : RANGE_OF_HIDDEN);
}

/** One of LAYER_PHASES; `phase` is its place in the pass. */
function layerPhase(phase: i32, layer: i32, which: i32): void {
  const hidden = planHidden();
  // Neurons may have been pruned from a layer.
  const expanded = linearRows(linearAt(layer, INTERMEDIATE));
  if (which == PHASE_QUERY_KEY_VALUE) queryKeyValue(phase, layer);
  else if (which == PHASE_ATTENTION) attentionPhase(phase, layer);
  else if (which == PHASE_ATTENTION_OUTPUT) {
    linearPhase(phase, layer, ATTENTION_OUTPUT, planContext(), RANGE_OF_CONTEXT, planMiddle(), hidden, planHiddenStates(), ADD);
  } else if (which == PHASE_ATTENTION_NORM) normPhase(phase, layer, ATTENTION_NORM, planMiddle(), planMiddle());
  else if (which == PHASE_INTERMEDIATE) {
    startRange(phase);
    linearPhase(phase, layer, INTERMEDIATE, planMiddle(), RANGE_OF_MIDDLE, planExpanded(), expanded, 0, ACTIVATE);
    publish(layer, RANGE_OF_EXPANDED);
  } else if (which == PHASE_OUTPUT) {
    linearPhase(phase, layer, OUTPUT, planExpanded(), RANGE_OF_EXPANDED, planHiddenStates(), hidden, planMiddle(), ADD);
  } else if (which == PHASE_OUTPUT_NORM) normPhase(phase, layer, OUTPUT_NORM, planHiddenStates(), planHiddenStates());
  else storePhase(phase, layer + 1);
}

/** The caller's array into tiles, through a LayerNorm if the plan has one. */
function loadPhase(): void {
  const hidden = planHidden();
  startRange(INPUT_PHASE_LOAD);
  for (let tile = nextItem(INPUT_PHASE_LOAD); tile != NO_ITEM; tile = nextItem(INPUT_PHASE_LOAD)) {
    // The range is that of what comes out.
    loadTile(tile, planInputWeight() == 0);
    if (planInputWeight() == 0) continue;
    const x = tileAt(planHiddenStates(), hidden, tile);
    layerNormTile(x, x, planInputWeight(), planInputBias(), vectorsOf(tile));
  }
  publish(0, RANGE_OF_HIDDEN);
}

/** Whether the hidden states after `layers` layers are numbers; every thread finds the same. */
function hiddenIsFinite(layers: i32): bool {
  for (let index = 0; index < planThreads(); index++) if (!isFinite(rangeSlot(layers, RANGE_OF_HIDDEN) + index * PUBLISHED_RANGE_BYTES)) return false;
  return true;
}

/**
 * Checks the hidden states after `layers` layers, also where none are wanted, and writes those of the phase's tiles for
 * the caller.
 */
function storePhase(phase: i32, layers: i32): void {
  if (!hiddenIsFinite(layers)) fault(layers == 0 ? FAULT_INPUT : FAULT_ACTIVATION);
  for (let tile = nextItem(phase); tile != NO_ITEM; tile = nextItem(phase)) {
    storeTile(tile, tileAt(planHiddenStates(), planHidden(), tile), planHidden(), planIo());
  }
}

/** A thread's share of the job in the plan. */
export function run(index: i32): void {
  setThread(index);
  setScratch(index);
  held = -1;
  for (let phase = planFirstPhase(), end = planEndPhase(); phase < end; phase++) {
    const ofLayers = phase - FIRST_LAYER_PHASE;
    const which = ofLayers % LAYER_PHASES;
    if (phase == INPUT_PHASE_LOAD) loadPhase();
    else if (phase == INPUT_PHASE_STORE) storePhase(phase, 0);
    else layerPhase(phase, ofLayers / LAYER_PHASES, which);
    // What follows a store does not need it. But after the last phase the host may change the plan as soon as its own
    // thread is back.
    if (phase + 1 == end || (phase != INPUT_PHASE_STORE && which != PHASE_STORE)) barrier();
  }
}

/** A Linear alone, the first of the table: the caller's array into tiles, and what their activations are quantized with. */
export function loadLinearInput(): void {
  setThread(0);
  setScratch(0);
  held = -1;
  loadPhase();
  if (!hiddenIsFinite(0) || (isInt8(0, QUERY) && !planRowwise() && !chooseFrom(rangeSlot(0, RANGE_OF_HIDDEN)))) {
    store<i32>(FAULT, FAULT_INPUT);
  }
}

/** Its results for one tile, whose tokens' rows begin at `planIo`. */
export function applyLinear(tile: i32): void {
  const linear = linearAt(0, QUERY);
  const columns = linearColumns(linear);
  const x = tileAt(planHiddenStates(), columns, tile);
  const rows = linearRows(linear);
  if (linearKind(linear) == LINEAR_KIND_INT8) quantize(0, tile, x, columns);
  linearTile(linear, x, vectorsOf(tile), 0, linearChunks(linear), planExpanded(), 0, STORE);
  // The map's tokens are counted from the first tile on.
  storeTile(tile, planExpanded(), rows, planIo() - tile * LANES * (rows << 2));
}

/** The life of a worker: jobs until the end. */
export function work(index: i32): void {
  for (let job = nextJob(0); job != LAST_JOB; job = nextJob(job)) run(index);
}

export { abandon } from './threads';
export { scale, inverse, zeroPoint, choose } from './quantize';
export {
  dot4x16, dot4x32, dot4x8, multiplyAddOne, plain8, plain16, plain32, plainSplit8, plainSplit16, plainSplit32, relaxed8, relaxed16, relaxed32, relaxedSplit8, relaxedSplit16,
  relaxedSplit32,
} from './sparse';
export { productsFloat16, productsFloat8, productsInt16x16, productsInt16x8 } from './products';
