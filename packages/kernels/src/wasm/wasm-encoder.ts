import { PruneError } from '@prune/core';
import { closedError } from '../closed-error.js';
import type { OpenParts } from '../open-parts.js';
import { layerNorm } from '../reference/layer-norm.js';
import { checkBatch, checkFinite } from '../spec/check-batch.js';
import { checkEncoderLayer, checkNorm, type LayerShape } from '../spec/check-encoder-layer.js';
import type { Encoder, EncoderOutput, ForwardOptions } from '../spec/encoder.js';
import type { EncoderSpec, LayerNormParameters } from '../spec/encoder-spec.js';
import { Crew, type CrewTarget } from './crew.js';
import { ACTIVATIONS, CONTROL, FAULTS, type Plan, PROFILES } from './layout.js';
import { type BatchPlan, type EncoderShape, planBatch } from './plan-batch.js';
import { WeightMemory } from './weight-memory.js';
import { withinMemory } from './within-memory.js';

/** What an encoder runs on. */
export interface WasmTarget extends CrewTarget {
  /** Whether its relaxed multiply-add rounds once here. */
  readonly fused: boolean;
  /** Whether it sums four products at once. */
  readonly dot4: boolean;
}

/** About 50 to 100 us of looking before a thread goes to sleep; waking one takes 8 to 27 us. */
const SPINS = 20_000;

/** An encoder in WebAssembly; see `Engine.loadEncoder`. It has a memory, an instance and threads of its own. */
export async function loadWasmEncoder(spec: EncoderSpec, target: WasmTarget, parts: OpenParts): Promise<Encoder> {
  const { weights, pass } = await packEncoder(spec, target, parts);
  const { hidden, layers } = pass.shape;
  let open: WasmEncoder | undefined = new WasmEncoder(weights, pass, target);
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= open?.close().finally(() => parts.delete(close));
    open = undefined;
    return closing!;
  };
  parts.add(close);
  try {
    await open.start();
    parts.check();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    hiddenSize: hidden,
    layers,
    forward(input, lengths, options = {}) {
      if (open === undefined) throw closedError('encoder');
      return open.forward(input, lengths, options);
    },
    close,
  };
}

/** What of an encoder a pass needs beside its weights. */
interface PassConstants {
  readonly shape: Omit<EncoderShape, 'threads'>;
  readonly inputNorm: LayerNormParameters | undefined;
  readonly constant: Omit<Plan, keyof BatchPlan['fields'] | 'threads' | 'firstLayer' | 'endLayer' | 'loads'>;
}

async function packEncoder(
  spec: EncoderSpec,
  target: WasmTarget,
  parts: OpenParts,
): Promise<{ weights: WeightMemory; pass: PassConstants }> {
  const { threads, fused, dot4 } = target;
  const weights = new WeightMemory(threads > 1);
  let layers = 0;
  let layerShape: LayerShape | undefined;
  for await (const layer of spec.layers) {
    parts.check();
    layerShape = checkEncoderLayer(layer, layers++, spec.heads, layerShape);
    weights.add(layer, { profile: spec.profile, dot4 });
  }
  parts.check();
  const table = weights.finish();
  const { hidden = 0, intermediate = 0 } = layerShape ?? {};
  const { heads, inputNorm } = spec;
  if (layers > 0 && inputNorm !== undefined) checkNorm(inputNorm, hidden, { tensor: 'inputNorm' });
  const [inputWeight, inputBias] = layers > 0 && inputNorm !== undefined ? weights.addNorm(inputNorm) : [0, 0];
  const { fround } = Math;
  const constant = {
    hidden,
    intermediate,
    heads,
    activation: ACTIVATIONS.indexOf(spec.activation),
    rowwise: spec.rowwise ?? false,
    int16: spec.attention === 'int16',
    profile: PROFILES.indexOf(spec.profile),
    layers: table,
    eps: spec.layerNormEps,
    queryScale: fround(1 / fround(Math.sqrt(hidden / heads))),
    spins: SPINS,
    mainWaits: canWait(),
    inputWeight,
    inputBias,
    fused,
    dot4,
  };
  return { weights, pass: { shape: { hidden, intermediate, heads, layers }, inputNorm, constant } };
}

/** An open encoder: its weights, and the threads that compute with them. */
class WasmEncoder {
  readonly #pass: PassConstants;
  readonly #target: WasmTarget;
  #weights: WeightMemory;
  #crew: Crew;
  /** Crews that lost a thread and whose others are still ending. */
  readonly #ending = new Set<Promise<void>>();

  constructor(weights: WeightMemory, pass: PassConstants, target: WasmTarget) {
    this.#pass = pass;
    this.#target = target;
    this.#weights = weights;
    this.#crew = new Crew(target, weights.memory);
  }

  start(): Promise<void> {
    return this.#crew.start();
  }

  async close(): Promise<void> {
    await Promise.all([this.#crew.stop(), ...this.#ending]);
  }

  forward(input: Float32Array, lengths: ArrayLike<number>, options: ForwardOptions): EncoderOutput {
    const { shape, inputNorm, constant } = this.#pass;
    const { hidden, layers } = shape;
    const checked = checkBatch(input, hidden, lengths, options.keyLengths);
    if (checked.tokens === 0 || layers === 0) {
      checkFinite(input, 'hidden states given');
      const first = () => (inputNorm ? layerNorm(input, inputNorm, constant.eps) : input.slice());
      return options.hiddenStates
        ? { last: first(), all: Array.from({ length: layers + 1 }, first) }
        : { last: first() };
    }
    this.#useThreads();
    // One number for the whole pass, whatever starts meanwhile.
    const { threads } = this.#crew;
    const { memory } = this.#weights;
    const batch = planBatch(checked, { ...shape, threads }, this.#weights.end);
    this.#weights.reserve(batch.end);
    const { io, tokenMap, sequences } = batch.fields;
    new Int32Array(memory.buffer, tokenMap, batch.tokenMap.length).set(batch.tokenMap);
    new Uint8Array(memory.buffer, sequences, batch.sequences.length).set(batch.sequences);
    const states = new Float32Array(memory.buffer, io, input.length);
    states.set(input);
    const results = () => withinMemory('results of an encoder', () => new Float32Array(states));
    if (!options.hiddenStates) {
      this.#runLayers(batch, threads, 0, layers, true);
      return { last: results() };
    }
    const all: Float32Array[] = [];
    for (let end = 0; end <= layers; end++) {
      this.#runLayers(batch, threads, Math.max(0, end - 1), end, end === 0);
      all.push(results());
    }
    return { last: results(), all };
  }

  #runLayers(batch: BatchPlan, threads: number, firstLayer: number, endLayer: number, loads: boolean): void {
    const { memory } = this.#weights;
    new Int32Array(memory.buffer, batch.fields.counters, batch.counters).fill(0);
    try {
      this.#crew.run({ ...this.#pass.constant, ...batch.fields, threads, firstLayer, endLayer, loads });
    } catch (error) {
      this.#startAgain();
      throw error;
    }
    const fault = new Int32Array(memory.buffer, CONTROL.fields.fault.at, 1);
    if (FAULTS[fault[0]] === 'none') return;
    const layers = `activations of layer ${firstLayer}${endLayer - firstLayer > 1 ? ` to ${endLayer - 1}` : ''}`;
    const what = FAULTS[fault[0]] === 'input' ? 'hidden states given' : layers;
    fault[0] = 0;
    throw new PruneError('not-finite', {
      where: 'kernels',
      what,
      got: 'NaN or an infinity',
      wanted: 'finite numbers',
    });
  }

  /** Starts other threads at once, so that they are there when the caller tries again. */
  #startAgain(): void {
    try {
      this.#useThreads();
    } catch {
      // There is no memory for them. The next pass tries again, and says so.
    }
  }

  /**
   * Replaces a crew that lost a thread by one in another memory. Throws `limit` without memory for it, and the next
   * pass tries again.
   */
  #useThreads(): void {
    const crew = this.#crew;
    if (crew.lost) {
      const weights = this.#weights.copy();
      this.#crew = new Crew(this.#target, weights.memory);
      this.#weights = weights;
      const ending: Promise<void> = crew
        .stop()
        .catch(() => {})
        .finally(() => this.#ending.delete(ending));
      this.#ending.add(ending);
    }
    // A pass does not fail because threads cannot be started: it computes without them, and the next one tries again.
    void this.#crew.start().catch(() => {});
  }
}

/** Whether this thread may sleep: not a browser's main thread. */
function canWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
