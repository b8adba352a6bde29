import { type Pacer, PruneError } from '@prune/core';
import type { EncoderLayer, LayerLinear, LayerNormParameters } from '../spec/encoder-spec.js';
import { withinMemory } from '../within-memory.js';
import {
  CACHE_LINE_BYTES,
  FIRST_FREE,
  LAYER,
  LINEAR,
  LINEAR_KINDS,
  LINEARS,
  NORM_PARAMETERS,
  NORMS,
} from './layout.js';
import { type PackMode, packLinear } from './pack-linear.js';
import { roundUp } from './round-up.js';
import { writeConstants } from './write-constants.js';
import { type StructValues, writeStruct } from './write-struct.js';

const PAGE = 65536;

/**
 * Pages that an encoder's memory may have: 2 GiB less one, so that addresses stay positive as int32 in the kernels. BERT-base at 6 % density
 * needs 16 MB for its weights and about 30 KB a token.
 */
const MAX_PAGES = 32767;

/**
 * What is tried when there is no memory with that maximum: Safari sets the whole maximum of a memory aside, and on a
 * telephone refuses one that would have had room for all that is used.
 */
const SMALLER_MAXIMUMS = [16384, 8192, 4096, 2048];

/** ms that packing takes for an element of the dense matrix, float or int8, before code is optimized. */
const PACK_MS = 1.5e-5;

/** A Linear of the table, and the bytes of its stream. */
interface LinearEntry extends StructValues<typeof LINEAR> {
  readonly streamBytes: number;
}

/** A layer of the table: its Linears, and the addresses of its LayerNorms' parameters. */
interface LayerEntry {
  readonly linears: readonly LinearEntry[];
  readonly norms: readonly number[];
}

/** The one memory of an encoder: weights from the bottom on, written once, and what a batch needs above them. */
export class WeightMemory {
  readonly memory: WebAssembly.Memory;
  readonly #maxPages: number;
  #end = FIRST_FREE;
  readonly #layers: LayerEntry[] = [];

  /**
   * Throws `limit` when there is no memory, or no addresses: an engine may set 8 GiB and more of them aside for each
   * memory.
   */
  constructor(shared: boolean) {
    [this.memory, this.#maxPages] = withinMemory('memory of an encoder', () => largestMemory(shared));
    writeConstants(this.memory.buffer);
  }

  /** What was added. */
  get layers(): readonly LayerEntry[] {
    return this.#layers;
  }

  /** The same weights in another memory, at the same addresses; its other words are 0. Throws `limit`. */
  copy(): WeightMemory {
    const copy = new WeightMemory(this.memory.buffer instanceof SharedArrayBuffer);
    copy.reserve(this.#end);
    const weights = new Uint8Array(this.memory.buffer, FIRST_FREE, this.#end - FIRST_FREE);
    new Uint8Array(copy.memory.buffer, FIRST_FREE, weights.length).set(weights);
    copy.#end = this.#end;
    return copy;
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
        wanted: `at most ${this.#maxPages * PAGE}, and as much as the machine has`,
        cause,
      });
    }
  }

  /** Packs a layer that was checked, with pauses between its Linears. */
  async add(layer: EncoderLayer, mode: PackMode, pacer: Pacer): Promise<void> {
    const linears: LinearEntry[] = [];
    for (const module of LINEARS) {
      const [rows, columns] = shapeOf(layer[module]);
      await pacer.pause(undefined, PACK_MS * rows * columns);
      linears.push(this.#addLinear(layer[module], mode, `layer.${this.#layers.length}.${module}`));
    }
    this.#layers.push({ linears, norms: NORMS.flatMap((module) => this.addNorm(layer[module])) });
  }

  /** Packs a Linear that was checked, as the first of a layer that has no other. */
  addLinear(linear: LayerLinear, mode: PackMode, tensor: string): void {
    this.#layers.push({ linears: [this.#addLinear(linear, mode, tensor)], norms: [] });
  }

  /** Gives the addresses of the parameters, in the order of NORM_PARAMETERS. */
  addNorm(norm: LayerNormParameters): number[] {
    return NORM_PARAMETERS.map((parameter) => this.#append(norm[parameter]));
  }

  /** Writes the table of all layers; gives its address. */
  finish(): number {
    const table = new Uint8Array(this.#layers.length * LAYER.bytes);
    const view = new DataView(table.buffer);
    this.#layers.forEach(({ linears, norms }, index) => {
      const begin = index * LAYER.bytes;
      linears.forEach((linear, which) => {
        writeStruct(view, begin + LAYER.fields.linears.at + which * LINEAR.bytes, LINEAR, linear);
      });
      norms.forEach((address, which) => {
        view.setInt32(begin + LAYER.fields.norms.at + 4 * which, address, true);
      });
    });
    return this.#append(table);
  }

  #addLinear(linear: LayerLinear, mode: PackMode, tensor: string): LinearEntry {
    const packed = packLinear(linear, mode, tensor);
    const stream = this.#append(packed.stream);
    const starts = this.#append(packed.starts.map((start) => stream + start));
    const { rows, columns, blocks, blockColumns, chunks, chunkRows, smallSums } = packed;
    const kind = LINEAR_KINDS.indexOf(packed.kind);
    const bias = this.#append(packed.bias);
    const streamBytes = packed.stream.byteLength;
    return { kind, rows, columns, blocks, blockColumns, starts, bias, chunks, chunkRows, smallSums, streamBytes };
  }

  #append(values: Uint8Array | Uint32Array | Float32Array): number {
    const address = this.#end;
    this.#end = roundUp(address + values.byteLength, CACHE_LINE_BYTES);
    this.reserve(this.#end);
    new Uint8Array(this.memory.buffer, address, values.byteLength).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
    return address;
  }
}

function shapeOf(linear: LayerLinear): readonly [rows: number, columns: number] {
  return linear.kind === 'float' ? linear.shape : linear.weight.shape;
}

/**
 * A memory of one page, and how many it may grow to. Throws the engine's RangeError when it has none, however small.
 */
function largestMemory(shared: boolean): [WebAssembly.Memory, maxPages: number] {
  const make = (maximum: number) => new WebAssembly.Memory({ initial: 1, maximum, shared });
  try {
    return [make(MAX_PAGES), MAX_PAGES];
  } catch (error) {
    for (const maximum of SMALLER_MAXIMUMS) {
      try {
        return [make(maximum), maximum];
      } catch {
        // The next one is half as large; the first error is the one to report.
      }
    }
    throw error;
  }
}
