import { PruneError } from '@prune/core';
import { layerNorm } from '../reference/layer-norm.js';
import { checkBatch, checkFinite } from '../spec/check-batch.js';
import { checkEncoderLayer, checkNorm, type LayerShape } from '../spec/check-encoder-layer.js';
import type { Encoder } from '../spec/encoder.js';
import type { EncoderSpec } from '../spec/encoder-spec.js';
import { ACTIVATIONS, CONTROL, FAULTS, LAST_JOB, PLAN, type Plan, PROFILES } from './layout.js';
import { type BatchPlan, type EncoderShape, planBatch } from './plan-batch.js';
import type { Thread, ThreadHost } from './thread-host.js';
import { WeightMemory } from './weight-memory.js';
import { writeConstants } from './write-constants.js';
import { writeStruct } from './write-struct.js';

/** What an encoder runs on. */
export interface WasmTarget {
  /** Compiled for shared memory where there is more than one thread. */
  readonly module: WebAssembly.Module;
  /** Whether its relaxed multiply-add rounds once here. */
  readonly fused: boolean;
  /** Whether it sums four products at once. */
  readonly dot4: boolean;
  readonly threads: number;
  readonly host: ThreadHost | undefined;
}

interface Exports {
  run(thread: number): void;
}

/** About 50 to 100 us of looking before a thread goes to sleep; waking one takes 8 to 27 us. */
const SPINS = 20_000;

/** An encoder in WebAssembly; see `Engine.loadEncoder`. It has a memory, an instance and threads of its own. */
export async function loadWasmEncoder(
  spec: EncoderSpec,
  { module, fused, dot4, threads, host }: WasmTarget,
  onClose: (close: () => Promise<void>) => void,
): Promise<Encoder> {
  const weights = new WeightMemory(threads > 1);
  const { memory } = weights;
  let layers = 0;
  let layerShape: LayerShape | undefined;
  for await (const layer of spec.layers) {
    layerShape = checkEncoderLayer(layer, layers++, spec.heads, layerShape);
    weights.add(layer, { profile: spec.profile, dot4 });
  }
  writeConstants(memory.buffer);
  const table = weights.finish();
  const { hidden = 0, intermediate = 0 } = layerShape ?? {};
  if (layers > 0 && spec.inputNorm !== undefined) checkNorm(spec.inputNorm, hidden, { tensor: 'inputNorm' });
  const [inputWeight, inputBias] =
    layers > 0 && spec.inputNorm !== undefined ? weights.addNorm(spec.inputNorm) : [0, 0];
  const shape: EncoderShape = { hidden, intermediate, heads: spec.heads, layers, threads };
  const size = hidden / spec.heads;
  const { fround } = Math;
  const constant = {
    hidden,
    intermediate,
    heads: spec.heads,
    activation: ACTIVATIONS.indexOf(spec.activation),
    rowwise: spec.rowwise ?? false,
    int16: spec.attention === 'int16',
    profile: PROFILES.indexOf(spec.profile),
    threads,
    layers: table,
    eps: spec.layerNormEps,
    queryScale: fround(1 / fround(Math.sqrt(size))),
    spins: SPINS,
    mainWaits: canWait(),
    inputWeight,
    inputBias,
    fused,
    dot4,
  };
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const workers: Thread[] = [];
  for (let index = 1; index < threads; index++) workers.push(await host!.start({ module, memory, index }));
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    if (threads > 1) tell(memory, LAST_JOB);
    await Promise.all(workers.map((worker) => worker.stop()));
  };
  onClose(close);

  function runLayers(batch: BatchPlan, firstLayer: number, endLayer: number, loads: boolean): void {
    const plan: Plan = { ...constant, ...batch.fields, firstLayer, endLayer, loads };
    writeStruct(new DataView(memory.buffer), 0, PLAN, plan);
    new Int32Array(memory.buffer, batch.fields.counters, batch.counters).fill(0);
    if (threads > 1) tell(memory);
    exports.run(0);
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

  return {
    hiddenSize: hidden,
    layers,
    forward(input, lengths, options = {}) {
      if (closed) throw new PruneError('invalid-argument', { where: 'kernels', what: 'the encoder is closed' });
      const checked = checkBatch(input, hidden, lengths, options.keyLengths);
      if (checked.tokens === 0 || layers === 0) {
        checkFinite(input, 'hidden states given');
        const first = () => (spec.inputNorm ? layerNorm(input, spec.inputNorm, spec.layerNormEps) : input.slice());
        return options.hiddenStates
          ? { last: first(), all: Array.from({ length: layers + 1 }, first) }
          : { last: first() };
      }
      const batch = planBatch(checked, shape, weights.end);
      weights.reserve(batch.end);
      const { io, tokenMap, sequences } = batch.fields;
      new Int32Array(memory.buffer, tokenMap, batch.tokenMap.length).set(batch.tokenMap);
      new Uint8Array(memory.buffer, sequences, batch.sequences.length).set(batch.sequences);
      const states = new Float32Array(memory.buffer, io, input.length);
      states.set(input);
      if (!options.hiddenStates) {
        runLayers(batch, 0, layers, true);
        return { last: new Float32Array(states) };
      }
      const all: Float32Array[] = [];
      for (let end = 0; end <= layers; end++) {
        runLayers(batch, Math.max(0, end - 1), end, end === 0);
        all.push(new Float32Array(states));
      }
      return { last: new Float32Array(states), all };
    },
    close() {
      void close();
    },
  };
}

/** The next job for the workers, or their end. */
function tell(memory: WebAssembly.Memory, job?: typeof LAST_JOB): void {
  const word = new Int32Array(memory.buffer, CONTROL.fields.job.at, 1);
  if (job === undefined) Atomics.store(word, 0, (Atomics.load(word, 0) + 1) & 0x7fffffff);
  else Atomics.store(word, 0, job);
  Atomics.notify(word, 0);
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
