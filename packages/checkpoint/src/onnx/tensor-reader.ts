import {
  type ByteSource,
  DTYPES,
  elementCount,
  type Limits,
  locateError,
  tensor as makeTensor,
  PruneError,
  type RandomAccess,
  randomAccess,
  type Tensor,
  tensorFromBytes,
} from '@prune/core';
import type { OnnxTensor } from './onnx-graph.js';
import { unpackVarints } from './unpack-varints.js';

/** Opens a file of external data by its name in the model's folder. */
export type OpenExternal = (file: string) => Promise<ByteSource>;

/** Reads the elements of tensors from the model and from the files beside it, which are opened when they are needed. */
export class TensorReader {
  readonly #source: Required<RandomAccess>;
  readonly #limits: Limits;
  readonly #openExternal: OpenExternal | undefined;
  readonly #external = new Map<string, Promise<Required<RandomAccess>>>();

  constructor(source: Required<RandomAccess>, limits: Limits, openExternal: OpenExternal | undefined) {
    this.#source = source;
    this.#limits = limits;
    this.#openExternal = openExternal;
  }

  /** What messages call the model's file. */
  get name(): string {
    return this.#source.name;
  }

  /** The elements of a tensor, in memory of their own. Throws a PruneError that names the file and the tensor. */
  async read({ name, dtype, shape, data }: OnnxTensor): Promise<Tensor> {
    const place = { where: this.name, tensor: name };
    try {
      if (data.kind === 'numbers') return fromNumbers({ name, dtype, shape, data }, data.numbers, this.#limits);
      if (data.kind === 'varints') {
        const bytes = await this.#source.read(data.begin, data.end - data.begin);
        return fromNumbers({ name, dtype, shape, data }, unpackVarints(bytes), this.#limits);
      }
      const bytes =
        data.kind === 'bytes' ? await this.#own(data) : await this.#beside({ name, dtype, shape, data }, data);
      return tensorFromBytes(dtype, shape, bytes, place, this.#limits);
    } catch (error) {
      throw locateError(error, place);
    }
  }

  /**
   * Checks that a tensor's external data lies within its file, which it opens. Throws `missing`, `truncated`,
   * `mismatch`, or `unsupported` where nobody can open files beside the model.
   */
  async checkExternal(tensor: OnnxTensor): Promise<void> {
    if (tensor.data.kind !== 'external') return;
    try {
      await this.#range(tensor, tensor.data);
    } catch (error) {
      throw locateError(error, { where: this.name, tensor: tensor.name });
    }
  }

  /** Closes the model and the files beside it. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#external.values());
    for (const file of opened) if (file.status === 'fulfilled') await file.value.close();
    await this.#source.close();
  }

  async #own({ begin, end }: { readonly begin: number; readonly end: number }): Promise<Uint8Array> {
    const bytes = await this.#source.read(begin, end - begin);
    return bytes.slice();
  }

  async #beside(tensor: OnnxTensor, data: External): Promise<Uint8Array> {
    const { file, length } = await this.#range(tensor, data);
    return (await file.read(data.offset, length)).slice();
  }

  async #range(tensor: OnnxTensor, { file: name, offset, length }: External) {
    if (this.#openExternal === undefined) {
      const wanted = 'to be opened by its path, so that the file is found beside the model';
      throw new PruneError('unsupported', { what: 'external data', got: JSON.stringify(name), wanted });
    }
    let opening = this.#external.get(name);
    if (opening === undefined) {
      opening = this.#openExternal(name).then((source) => randomAccess(source));
      this.#external.set(name, opening);
    }
    const file = await opening;
    const bytes = elementCount(tensor, {}, this.#limits) * DTYPES[tensor.dtype].bytes;
    const got = length ?? bytes;
    if (got !== bytes) throw new PruneError('mismatch', { what: `bytes in "${name}"`, got, wanted: bytes });
    if (offset + bytes > file.size) {
      const wanted = `bytes ${offset} to ${offset + bytes}`;
      throw new PruneError('truncated', { what: `external data "${name}"`, got: `${file.size} bytes`, wanted });
    }
    return { file, length: bytes };
  }
}

type External = Extract<OnnxTensor['data'], { readonly kind: 'external' }>;

function fromNumbers({ name, dtype, shape }: OnnxTensor, numbers: ArrayLike<number>, limits: Limits): Tensor {
  const place = { tensor: name };
  const count = elementCount({ dtype, shape }, place, limits);
  if (numbers.length !== count) {
    throw new PruneError('mismatch', { ...place, what: 'elements', got: numbers.length, wanted: count });
  }
  if (dtype === 'int64') {
    // INT64_MAX, which stands for "to the end", has been rounded up by then.
    const most = 2n ** 63n - 1n;
    const integers = Array.from({ length: count }, (_, i) => (numbers[i] >= 2 ** 63 ? most : BigInt(numbers[i])));
    return makeTensor(dtype, shape, BigInt64Array.from(integers), place, limits);
  }
  const data = new DTYPES[dtype].array(count);
  for (let i = 0; i < count; i++) data[i] = numbers[i];
  return makeTensor(dtype, shape, data, place, limits);
}
