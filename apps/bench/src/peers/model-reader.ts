import {
  PruneError,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  type Tensor,
} from '@prune/core';
import { dequantizeEmbedding } from '@prune/quant';

/** What the peers' graphs read of a model, one module at a time. */
export interface ModelReader {
  /** A parameter in float32: a table of quantized rows is dequantized. Throws `mismatch` for a Linear's weight. */
  tensor(name: string): Promise<Tensor>;
  /** Throws `mismatch` for what is not a table of quantized rows. */
  embedding(name: string): Promise<QuantizedEmbedding>;
  /** A Linear with one scale and a bias, which is what the graphs are made for. Throws `mismatch` for any other. */
  linear(name: string): Promise<QuantizedLinear>;
}

/** Reads the modules of a model. All methods throw `missing` for a name that the model does not have. */
export function modelReader(quantized: QuantizedStateDict): ModelReader {
  const want = async (name: string) => {
    const value = await quantized.get(name);
    if (value === undefined)
      throw new PruneError('missing', { where: 'bench', what: 'not in the model', tensor: name });
    return value;
  };
  return {
    async tensor(name) {
      const value = (await quantized.get(name)) ?? (await want(name.replace(/\.weight$/, '')));
      if (!('kind' in value)) return value;
      if (value.kind === 'embedding') return dequantizeEmbedding(value);
      throw new PruneError('mismatch', { where: 'bench', what: 'a Linear, not a tensor', tensor: name });
    },
    async embedding(name) {
      const value = await want(name);
      if ('kind' in value && value.kind === 'embedding') return value;
      throw new PruneError('mismatch', { where: 'bench', what: 'not a table of quantized rows', tensor: name });
    },
    async linear(name) {
      const value = await want(name);
      if (!('kind' in value) || value.kind !== 'linear' || value.scales.length !== 1 || value.bias === null) {
        throw new PruneError('mismatch', {
          where: 'bench',
          what: 'not a Linear with one scale and a bias',
          tensor: name,
        });
      }
      return value;
    },
  };
}
