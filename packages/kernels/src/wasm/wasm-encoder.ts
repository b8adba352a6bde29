import { checkAborted, Pacer, PruneError } from '@prune/core';
import { type EncoderWork, openEncoder } from '../open-encoder.js';
import type { OpenParts } from '../open-parts.js';
import { layerNorm } from '../reference/layer-norm.js';
import { type Batch, checkBatch, checkFinite } from '../spec/check-batch.js';
import { checkEncoderLayer, checkNorm, type LayerShape } from '../spec/check-encoder-layer.js';
import type { Encoder, EncoderOutput, ForwardOptions } from '../spec/encoder.js';
import type { EncoderSpec, LayerNormParameters } from '../spec/encoder-spec.js';
import { PassQueue } from '../spec/pass-queue.js';
import { withinMemory } from '../within-memory.js';
import { Crew, type CrewTarget } from './crew.js';
import { ACTIVATIONS, CONTROL, FAULTS, FIRST_LAYER_PHASE, ITEMS, LAYER_PHASES, type Plan, PROFILES } from './layout.js';
import { type Job, nextJob, type PassPosition } from './next-job.js';
import { type LayerSize, passPhases } from './pass-phases.js';
import { PhaseTimes } from './phase-times.js';
import { type BatchPlan, type EncoderShape, planBatch } from './plan-batch.js';
import { WeightMemory } from './weight-memory.js';

/** What an encoder runs on. */
export interface WasmTarget extends CrewTarget {
  /** Whether the module imports a memory that threads share. */
  readonly shared: boolean;
  /** Whether its relaxed multiply-add rounds once here. */
  readonly fused: boolean;
  /** Whether it sums four products at once. */
  readonly dot4: boolean;
  /** See {@link JOB_MS}. */
  readonly jobMs?: number;
}

/** About 50 to 100 us of looking before a thread goes to sleep; waking one takes 8 to 27 us. */
const SPINS = 20_000;

/**
 * How long a job may take by the times that were measured before. A pass returns to the event loop between jobs, at
 * least every 50 ms as users are promised: there is room for a job that takes four times as long as expected, as the
 * first ones do while the engine still optimizes the code.
 */
const JOB_MS = 12;

/** Every float of a layer is looked at: this many ms for one of BERT-base. */
const CHECK_MS = 24;

/** ITEMS as words; `writeStruct` takes 5 us for those of 50 phases. */
const ITEM_WORDS = ITEMS.bytes / Int32Array.BYTES_PER_ELEMENT;

/** An encoder in WebAssembly; see `Engine.loadEncoder`. It has a memory, an instance and threads of its own. */
export async function loadWasmEncoder(spec: EncoderSpec, target: WasmTarget, parts: OpenParts): Promise<Encoder> {
  const { weights, pass } = await packEncoder(spec, target, parts);
  const work = new WasmEncoder(weights, pass, target);
  const encoder = openEncoder(work, parts);
  try {
    await work.start();
    parts.check();
    return encoder;
  } catch (error) {
    await encoder.close();
    throw error;
  }
}

/** What of an encoder a pass needs beside its weights. */
interface PassConstants {
  readonly shape: Omit<EncoderShape, 'threads'>;
  readonly layerSizes: readonly LayerSize[];
  readonly inputNorm: LayerNormParameters | undefined;
  readonly constant: Omit<Plan, keyof BatchPlan['fields'] | 'threads' | 'firstPhase' | 'endPhase'>;
}

async function packEncoder(
  spec: EncoderSpec,
  target: WasmTarget,
  parts: OpenParts,
): Promise<{ weights: WeightMemory; pass: PassConstants }> {
  const { shared, fused, dot4 } = target;
  const weights = new WeightMemory(shared);
  const pacer = new Pacer();
  let layers = 0;
  let layerShape: LayerShape | undefined;
  for await (const layer of spec.layers) {
    parts.check();
    await pacer.pause(undefined, CHECK_MS);
    layerShape = checkEncoderLayer(layer, layers++, spec.heads, layerShape);
    await weights.add(layer, { profile: spec.profile, dot4 }, pacer);
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
  return {
    weights,
    pass: { shape: { hidden, intermediate, heads, layers }, layerSizes: weights.layers, inputNorm, constant },
  };
}

/** An open encoder: its weights, and the threads that compute with them. */
class WasmEncoder implements EncoderWork {
  readonly hidden: number;
  readonly layers: number;
  readonly #pass: PassConstants;
  readonly #target: WasmTarget;
  #weights: WeightMemory;
  #crew: Crew;
  /** Crews that lost a thread and whose others are still ending. */
  readonly #ending = new Set<Promise<void>>();
  readonly #queue = new PassQueue();
  readonly #pacer = new Pacer();
  readonly #times = new PhaseTimes();

  constructor(weights: WeightMemory, pass: PassConstants, target: WasmTarget) {
    this.hidden = pass.shape.hidden;
    this.layers = pass.shape.layers;
    this.#pass = pass;
    this.#target = target;
    this.#weights = weights;
    this.#crew = new Crew(target, weights.memory);
  }

  get memoryBytes(): number {
    return this.#weights.memory.buffer.byteLength;
  }

  start(): Promise<void> {
    return this.#crew.start();
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    await Promise.all([this.#crew.stop(), ...this.#ending]);
  }

  forward(input: Float32Array, lengths: ArrayLike<number>, options: ForwardOptions): Promise<EncoderOutput> {
    const checked = checkBatch(input, this.#pass.shape.hidden, lengths, options.keyLengths);
    return this.#queue.run(() => this.#compute(input, checked, options), options.signal);
  }

  async #compute(input: Float32Array, checked: Batch, options: ForwardOptions): Promise<EncoderOutput> {
    const { shape, layerSizes, inputNorm, constant } = this.#pass;
    const { hidden, heads, layers } = shape;
    if (checked.tokens === 0 || layers === 0) {
      checkFinite(input, 'hidden states given');
      const first = () => (inputNorm ? layerNorm(input, inputNorm, constant.eps) : input.slice());
      return options.hiddenStates
        ? { last: first(), all: Array.from({ length: layers + 1 }, first) }
        : { last: first() };
    }
    checkAborted(options.signal);
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
    const keepsAll = options.hiddenStates ?? false;
    const size = { hidden, heads, layers: layerSizes, threads, keepsAll };
    const phases = passPhases(checked, batch.fields, size);
    const all: Float32Array[] = [];
    let done = 0;
    for (let at: PassPosition = { phase: 0, item: 0 }; at.phase < phases.length; ) {
      const job = nextJob(phases, at, this.#times, { threads, budget: this.#target.jobMs ?? JOB_MS });
      await this.#pacer.pause(options.signal, job.ms);
      this.#runJob(batch, threads, job, keepsAll ? nameOfLayers(done, done + 1) : nameOfLayers(0, layers));
      at = job.next;
      const last = job.parts.at(-1)!;
      if (keepsAll && last.kind === 'store' && last.end > 0 && at.item === 0) all.push(results());
      const before = done;
      done = Math.max(0, Math.floor((at.phase - FIRST_LAYER_PHASE) / LAYER_PHASES.length));
      if (done > before) options.onLayer?.({ done, total: layers });
    }
    return keepsAll ? { last: results(), all } : { last: results() };
  }

  /** `layers`: what errors call them. */
  #runJob(batch: BatchPlan, threads: number, { parts }: Job, layers: string): void {
    const { memory } = this.#weights;
    const items = new Int32Array(memory.buffer, batch.fields.items);
    for (const { phase, first, end } of parts) items.set([first, end, 0], phase * ITEM_WORDS);
    const phases = { firstPhase: parts[0].phase, endPhase: parts.at(-1)!.phase + 1 };
    const start = performance.now();
    try {
      this.#crew.run({ ...this.#pass.constant, ...batch.fields, threads, ...phases });
    } catch (error) {
      this.#startAgain();
      throw error;
    }
    this.#times.add(parts, performance.now() - start);
    const fault = new Int32Array(memory.buffer, CONTROL.fields.fault.at, 1);
    if (FAULTS[fault[0]] === 'none') return;
    const what = FAULTS[fault[0]] === 'input' ? 'hidden states given' : `activations of ${layers}`;
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

function nameOfLayers(first: number, end: number): string {
  return `layer ${first}${end - first > 1 ? ` to ${end - 1}` : ''}`;
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
