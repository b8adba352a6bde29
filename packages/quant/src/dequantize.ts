import {
  type CsrMatrix,
  type DenseInt8Matrix,
  PruneError,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  type StateDict,
  type Tensor,
  type TensorInfo,
} from '@prune/core';
import { dequantizeEmbedding } from './dequantize-embedding.js';
import { dequantizeLinear } from './dequantize-linear.js';
import { listedValue } from './listed-value.js';

/** A float state dict that is made from a quantized one as it is read. */
export interface DequantizedStateDict extends StateDict {
  keys(): Iterable<string>;
  get(name: string): Promise<Tensor | undefined>;
  /** Dtype and shape of every parameter, in the order of `keys()`: what a file's header needs before the first tensor. */
  readonly infos: ReadonlyMap<string, TensorInfo>;
}

type Entry = QuantizedLinear<DenseInt8Matrix | CsrMatrix> | QuantizedEmbedding | Tensor;
interface Parameter extends TensorInfo {
  readonly key: string;
  readonly part: 'weight' | 'bias' | 'tensor';
}

/**
 * The float32 state dict of a quantized one, weights dense or CSR: a Linear `X` becomes `X.weight` and `X.bias`, a table `X` becomes `X.weight`,
 * a float tensor stays as it is. Reads every entry once to learn names and shapes, keeps none, and reads again what is asked for.
 * Throws `mismatch` when two entries give one name.
 */
export async function dequantize(
  quantized: QuantizedStateDict<DenseInt8Matrix | CsrMatrix>,
): Promise<DequantizedStateDict> {
  const parameters = new Map<string, Parameter>();
  for (const key of quantized.keys()) {
    for (const [name, parameter] of parametersOf(key, await listedValue(quantized, key))) {
      if (parameters.has(name)) {
        throw new PruneError('mismatch', { where: 'quant', tensor: name, what: 'two entries become one parameter' });
      }
      parameters.set(name, parameter);
    }
  }
  return {
    infos: parameters,
    keys: () => parameters.keys(),
    async get(name) {
      const parameter = parameters.get(name);
      if (parameter === undefined) return undefined;
      return tensorOf(await listedValue(quantized, parameter.key), parameter.part);
    },
  };
}

function parametersOf(key: string, entry: Entry): [name: string, parameter: Parameter][] {
  if (!('kind' in entry)) return [[key, { key, part: 'tensor', dtype: entry.dtype, shape: entry.shape }]];
  const shape = entry.kind === 'linear' ? entry.weight.shape : entry.shape;
  const found: [string, Parameter][] = [[`${key}.weight`, { key, part: 'weight', dtype: 'float32', shape }]];
  if (entry.kind === 'linear' && entry.bias !== null) {
    found.push([`${key}.bias`, { key, part: 'bias', dtype: 'float32', shape: entry.bias.shape }]);
  }
  return found;
}

function tensorOf(entry: Entry, part: Parameter['part']): Tensor {
  if (!('kind' in entry)) return entry;
  if (entry.kind === 'embedding') return dequantizeEmbedding(entry);
  return part === 'bias' && entry.bias !== null ? entry.bias : dequantizeLinear(entry);
}
