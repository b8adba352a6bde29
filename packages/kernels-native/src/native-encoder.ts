import { checkAborted, Pacer, PruneError } from '@prune/core';
import type {
  Activation,
  Encoder,
  EncoderLayer,
  EncoderOutput,
  EncoderSpec,
  ForwardOptions,
  LayerNormParameters,
} from '@prune/kernels';
import {
  type Batch,
  checkBatch,
  checkEncoderLayer,
  checkFinite,
  checkNorm,
  type EncoderWork,
  type LayerShape,
  layerNorm,
  type OpenParts,
  openEncoder,
  PassQueue,
  withinMemory,
} from '@prune/kernels/spec';
import { type Addon, type NativeHandle, STATUSES } from './addon.js';
import { checkStatus } from './native-status.js';
import { handleOf, packNative, profileNumber } from './pack-native.js';

/** What an encoder runs on. */
export interface NativeTarget {
  readonly addon: Addon;
  /** A place in `NATIVE_KERNELS`. */
  readonly kernels: number;
  readonly threads: number;
}

/** Activations in the order of pn_activation. */
const ACTIVATIONS: readonly Activation[] = ['gelu', 'gelu_new', 'relu'];

/** A layer's Linears in the order of the C side, and its LayerNorms. */
const LINEARS = ['query', 'key', 'value', 'attentionOutput', 'intermediate', 'output'] as const;
const NORMS = ['attentionNorm', 'outputNorm'] as const;

/** An encoder whose passes are computed by threads of the C side; see `Engine.loadEncoder`. */
export async function loadNativeEncoder(spec: EncoderSpec, target: NativeTarget, parts: OpenParts): Promise<Encoder> {
  return openEncoder(await loadLayers(spec, target, parts), parts);
}

async function loadLayers(spec: EncoderSpec, target: NativeTarget, parts: OpenParts): Promise<NativeEncoder> {
  const { addon } = target;
  const pacer = new Pacer();
  let layers = 0;
  let shape: LayerShape | undefined;
  let handle: NativeHandle | undefined;
  try {
    for await (const layer of spec.layers) {
      parts.check();
      await pacer.pause();
      const name = `layer.${layers}`;
      shape = checkEncoderLayer(layer, layers++, spec.heads, shape);
      handle ??= newEncoder(spec, shape.hidden, target);
      await addLayer(layer, name, handle, spec, target, pacer);
    }
    parts.check();
    if (handle !== undefined && spec.inputNorm !== undefined) {
      checkNorm(spec.inputNorm, shape!.hidden, { tensor: 'inputNorm' });
      addNorm(addon, handle, spec.inputNorm, true);
    }
    if (handle !== undefined) checkStatus(addon.start(handle), 'threads of an encoder');
    return new NativeEncoder(target, handle, spec, shape?.hidden ?? 0, layers);
  } catch (error) {
    if (handle !== undefined) addon.free(handle);
    throw error;
  }
}

function newEncoder(spec: EncoderSpec, hidden: number, { addon, kernels, threads }: NativeTarget): NativeHandle {
  return handleOf(
    addon.encoder(
      kernels,
      profileNumber(spec.profile),
      ACTIVATIONS.indexOf(spec.activation),
      spec.rowwise ?? false,
      spec.attention === 'int16',
      hidden,
      hidden / spec.heads,
      spec.layerNormEps,
      threads,
    ),
    'memory of an encoder',
  );
}

async function addLayer(
  layer: EncoderLayer,
  name: string,
  handle: NativeHandle,
  { profile }: EncoderSpec,
  { addon, kernels }: NativeTarget,
  pacer: Pacer,
): Promise<void> {
  for (const module of LINEARS) {
    await pacer.pause();
    const tensor = `${name}.${module}`;
    checkStatus(
      addon.addLinear(handle, packNative(addon, kernels, layer[module], profile, tensor)),
      'memory of an encoder',
      tensor,
    );
  }
  for (const module of NORMS) addNorm(addon, handle, layer[module], false);
}

function addNorm(addon: Addon, handle: NativeHandle, { weight, bias }: LayerNormParameters, ofInput: boolean): void {
  checkStatus(addon.addNorm(handle, weight, bias, ofInput), 'memory of an encoder');
}

/** An open encoder. */
class NativeEncoder implements EncoderWork {
  readonly hidden: number;
  readonly layers: number;
  readonly #addon: Addon;
  readonly #queue = new PassQueue();
  readonly #pacer = new Pacer();
  readonly #inputNorm: LayerNormParameters | undefined;
  readonly #eps: number;
  /** `undefined` where there is no layer. */
  readonly #handle: NativeHandle | undefined;

  constructor(
    { addon }: NativeTarget,
    handle: NativeHandle | undefined,
    spec: EncoderSpec,
    hidden: number,
    layers: number,
  ) {
    this.hidden = hidden;
    this.layers = layers;
    this.#addon = addon;
    this.#inputNorm = spec.inputNorm;
    this.#eps = spec.layerNormEps;
    this.#handle = handle;
  }

  get memoryBytes(): number {
    return this.#handle === undefined ? 0 : this.#addon.bytes(this.#handle);
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    if (this.#handle !== undefined) this.#addon.free(this.#handle);
  }

  forward(input: Float32Array, lengths: ArrayLike<number>, options: ForwardOptions): Promise<EncoderOutput> {
    const batch = checkBatch(input, this.hidden, lengths, options.keyLengths);
    return this.#queue.run(() => this.#compute(input, batch, options), options.signal);
  }

  async #compute(input: Float32Array, batch: Batch, options: ForwardOptions): Promise<EncoderOutput> {
    const keepsAll = options.hiddenStates ?? false;
    if (batch.tokens === 0 || this.#handle === undefined) return this.#withoutLayers(input, keepsAll);
    await this.#pacer.pause(options.signal);
    const count = keepsAll ? this.layers + 1 : 1;
    const outputs = withinMemory('results of an encoder', () =>
      Array.from({ length: count }, () => new Float32Array(input.length)),
    );
    await this.#pass(this.#handle, input, batch, outputs, options);
    const last = outputs.at(-1)!;
    // In memory of its own: the last state is there twice.
    return keepsAll ? { last: last.slice(), all: outputs } : { last };
  }

  #withoutLayers(input: Float32Array, keepsAll: boolean): EncoderOutput {
    checkFinite(input, 'hidden states given');
    const first = () => (this.#inputNorm ? layerNorm(input, this.#inputNorm, this.#eps) : input.slice());
    return keepsAll ? { last: first(), all: Array.from({ length: this.layers + 1 }, first) } : { last: first() };
  }

  /** Resolves when the threads have done the pass, or have stopped it. */
  #pass(
    handle: NativeHandle,
    input: Float32Array,
    batch: Batch,
    outputs: readonly Float32Array[],
    { signal, onLayer }: ForwardOptions,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let failure: unknown;
      const stop = (error: unknown) => {
        failure ??= error;
        this.#addon.abort(handle);
      };
      const onAbort = () => {
        try {
          checkAborted(signal);
        } catch (error) {
          stop(error);
        }
      };
      const status = this.#addon.pass(
        handle,
        input,
        batch.lengths,
        batch.keyLengths,
        outputs,
        onLayer !== undefined,
        (result, layer) => {
          if (result < 0) {
            if (failure !== undefined) return;
            try {
              onLayer!({ done: layer, total: this.layers });
            } catch (error) {
              stop(error);
            }
            return;
          }
          signal?.removeEventListener('abort', onAbort);
          try {
            if (failure !== undefined) throw failure;
            checkResult(result, layer);
            resolve();
          } catch (error) {
            reject(error);
          }
        },
      );
      checkStatus(status, 'memory for a batch');
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** Throws the error of a pass that has ended. */
function checkResult(result: number, layer: number): void {
  const status = STATUSES[result];
  if (status === 'ok') return;
  throw new PruneError('not-finite', {
    where: 'kernels',
    what: status === 'input-not-finite' ? 'hidden states given' : `activations of layer ${layer}`,
    got: 'NaN or an infinity',
    wanted: 'finite numbers',
  });
}
