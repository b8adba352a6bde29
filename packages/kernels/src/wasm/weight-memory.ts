import { PruneError } from '@prune/core';
import type { EncoderLayer, LayerLinear, LayerNormParameters } from '../spec/encoder-spec.js';
import { FIRST_FREE, LAYER_BYTES, LINEAR_BYTES } from './memory-map.js';
import { type PackMode, packLinear } from './pack-linear.js';

const PAGE = 65536;

/**
 * Pages that an encoder's memory may have: 2 GiB less one, so that addresses stay positive as int32 in the kernels. BERT-base at 6 % density
 * needs 16 MB for its weights and about 30 KB a token.
 */
const MAX_PAGES = 32767;

/** The one memory of an encoder: weights from the bottom on, written once, and what a batch needs above them. */
export class WeightMemory {
  readonly memory: WebAssembly.Memory;
  #end = FIRST_FREE;
  readonly #layers: Int32Array[] = [];

  constructor(shared: boolean) {
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared });
  }

  /** The first byte after the weights. */
  get end(): number {
    return this.#end;
  }

  /** Makes bytes [0, end) addressable. Throws `limit`. */
  reserve(end: number): void {
    const missing = Math.ceil(end / PAGE) - this.memory.buffer.byteLength / PAGE;
    if (missing <= 0) return;
    try {
      this.memory.grow(missing);
    } catch (cause) {
      throw new PruneError('limit', {
        where: 'kernels',
        what: 'memory of an encoder',
        got: `${end} bytes`,
        wanted: `at most ${MAX_PAGES * PAGE}, and as much as the machine has`,
        cause,
      });
    }
  }

  /** Packs a layer that was checked. */
  add(layer: EncoderLayer, mode: PackMode): void {
    const words: number[] = [];
    for (const module of ['query', 'key', 'value', 'attentionOutput', 'intermediate', 'output'] as const) {
      words.push(...this.#addLinear(layer[module], mode, `layer.${this.#layers.length}.${module}`));
    }
    words.push(...this.addNorm(layer.attentionNorm), ...this.addNorm(layer.outputNorm));
    this.#layers.push(Int32Array.from(words));
  }

  /** Packs a Linear that was checked, as the first of a layer that has no other. */
  addLinear(linear: LayerLinear, mode: PackMode, tensor: string): void {
    this.#layers.push(Int32Array.from(this.#addLinear(linear, mode, tensor)));
  }

  /** Gives the addresses of its weight and bias. */
  addNorm({ weight, bias }: LayerNormParameters): [weight: number, bias: number] {
    return [this.#append(weight), this.#append(bias)];
  }

  /** Writes the table of all layers; gives its address. */
  finish(): number {
    const table = new Int32Array((this.#layers.length * LAYER_BYTES) / 4);
    this.#layers.forEach((layer, index) => {
      table.set(layer, (index * LAYER_BYTES) / 4);
    });
    return this.#append(table);
  }

  #addLinear(linear: LayerLinear, mode: PackMode, tensor: string): number[] {
    const packed = packLinear(linear, mode, tensor);
    const stream = this.#append(packed.stream);
    const starts = this.#append(packed.starts.map((start) => stream + start));
    const words = [
      packed.kind === 'int8' ? 0 : 1,
      packed.rows,
      packed.columns,
      packed.blocks,
      packed.blockColumns,
      starts,
      this.#append(packed.bias),
      packed.chunks,
      packed.chunkRows,
      packed.smallSums ? 1 : 0,
    ];
    return [...words, ...new Array<number>(LINEAR_BYTES / 4 - words.length).fill(0)];
  }

  #append(values: Uint8Array | Uint32Array | Int32Array | Float32Array): number {
    const address = this.#end;
    this.#end = Math.ceil((address + values.byteLength) / 64) * 64;
    this.reserve(this.#end);
    new Uint8Array(this.memory.buffer, address, values.byteLength).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
    return address;
  }
}
