import {
  type CsrMatrix,
  checkArgument,
  checkReadableMap,
  type DenseInt8Matrix,
  PruneError,
  type QuantizationProfile,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  type StateDict,
  type Tensor,
  toFloat32,
} from '@prune/core';
import { listedValue } from './listed-value.js';
import { quantizeEmbedding } from './quantize-embedding.js';
import {
  DEFAULT_PER_CHANNEL,
  DEFAULT_PROFILE,
  type QuantizedWeight,
  type QuantizeWeightOptions,
  quantizeWeight,
} from './quantize-weight.js';
import { quantizePiecesToCsr, quantizeWeightToCsr } from './quantize-weight-to-csr.js';

/** How embedding tables are kept: float32, or row by row as 8- or 4-bit codes. */
export type EmbeddingPrecision = 'f32' | 'int8' | 'int4';

/** Options of {@link quantizeDynamic}. */
export interface QuantizeDynamicOptions {
  /** The modules `X` whose `X.weight` is quantized: `linearModules(config, parameters)` has them. */
  readonly linears: ReadonlySet<string>;
  /** The modules that `embeddings` applies to. Default: none. */
  readonly embeddingTables?: ReadonlySet<string>;
  /** One scale a row instead of one a matrix. Default: `DEFAULT_QUANTIZE_OPTIONS.perChannel`. */
  readonly perChannel?: boolean;
  /** Whose way of quantizing weights, see `quantizeWeight`. Default: `DEFAULT_QUANTIZE_OPTIONS.profile`. */
  readonly profile?: QuantizationProfile;
  /** Default: `DEFAULT_QUANTIZE_OPTIONS.embeddings`. */
  readonly embeddings?: EmbeddingPrecision;
  /**
   * Parts of the model to leave out, each one or more whole components of a name: `embeddings` leaves out `bert.embeddings.LayerNorm.weight`,
   * `pooler.dense` leaves out `bert.pooler.dense.bias`; `embed` leaves out neither. Default: nothing.
   */
  readonly exclude?: readonly string[];
}

/** What {@link quantizeDynamic} does when it is not told. */
export const DEFAULT_QUANTIZE_OPTIONS = {
  perChannel: DEFAULT_PER_CHANNEL,
  profile: DEFAULT_PROFILE,
  embeddings: 'f32' as EmbeddingPrecision,
  exclude: [] as readonly string[],
} as const;

const EMBEDDING_BITS = { int8: 8, int4: 4 } as const;

/**
 * The quantized form of a float state dict, as PyTorch's `quantize_dynamic` makes it: the weight and bias of a Linear `X` become one entry `X`
 * (int8, see `quantizeWeight`) in the weight's place; a table `X.weight` becomes `X` when `embeddings` says so; every other float tensor
 * passes as float32, other dtypes unchanged. Lazy: `get` reads and quantizes that one module and keeps nothing.
 * `get` throws `not-finite` or `mismatch` with the tensor's name. {@link quantizeDynamicToCsr} keeps the codes in CSR.
 */
export function quantizeDynamic(stateDict: StateDict, options: QuantizeDynamicOptions): QuantizedStateDict {
  return quantizedBy(dense, stateDict, options);
}

/**
 * {@link quantizeDynamic} with every weight in CSR: the way to pack a pruned model. A weight is read piece by piece where the state dict can, so that
 * neither its floats nor its dense codes are ever in memory as a whole.
 */
export function quantizeDynamicToCsr(
  stateDict: StateDict,
  options: QuantizeDynamicOptions,
): QuantizedStateDict<CsrMatrix> {
  return quantizedBy(sparse, stateDict, options);
}

/** Reads `name` and quantizes it. */
type QuantizeWeight<M> = (
  stateDict: StateDict,
  name: string,
  options: QuantizeWeightOptions,
) => Promise<QuantizedWeight<M>>;

async function dense(stateDict: StateDict, name: string, options: QuantizeWeightOptions) {
  return quantizeWeight(await listedValue(stateDict, name), options);
}

async function sparse(stateDict: StateDict, name: string, options: QuantizeWeightOptions) {
  const pieces = stateDict.pieces?.(name);
  return pieces
    ? quantizePiecesToCsr(pieces, options)
    : quantizeWeightToCsr(await listedValue(stateDict, name), options);
}

function quantizedBy<M extends DenseInt8Matrix | CsrMatrix>(
  quantize: QuantizeWeight<M>,
  stateDict: StateDict,
  options: QuantizeDynamicOptions,
): QuantizedStateDict<M> {
  checkReadableMap('quant', 'state dict of quantizeDynamic', stateDict);
  const wanted = 'options with linears, the names of the Linears, which linearModules gives';
  const fits = typeof options?.linears?.has === 'function';
  checkArgument(fits, { where: 'quant', what: 'options of quantizeDynamic', wanted }, options);
  const { linears, embeddingTables, exclude = DEFAULT_QUANTIZE_OPTIONS.exclude } = options;
  const { perChannel = DEFAULT_QUANTIZE_OPTIONS.perChannel, profile = DEFAULT_QUANTIZE_OPTIONS.profile } = options;
  const bits = embeddingBits(options.embeddings ?? DEFAULT_QUANTIZE_OPTIONS.embeddings);
  const names = [...stateDict.keys()].filter((name) => !exclude.some((part) => hasComponents(name, part)));
  const present = new Set(names);
  const entries = new Map<string, 'linear' | 'embedding' | 'tensor'>();
  for (const name of names) {
    const { module, parameter } = split(name);
    const isLinear = linears.has(module) && present.has(`${module}.weight`);
    if (isLinear && parameter === 'weight') entries.set(module, 'linear');
    else if (isLinear && parameter === 'bias') continue;
    else if (bits !== undefined && parameter === 'weight' && embeddingTables?.has(module)) {
      entries.set(module, 'embedding');
    } else entries.set(name, 'tensor');
  }
  async function linear(module: string): Promise<QuantizedLinear<M>> {
    const name = `${module}.weight`;
    const quantized = await quantize(stateDict, name, { perChannel, profile, name });
    const biasName = `${module}.bias`;
    if (!present.has(biasName)) return { kind: 'linear', ...quantized, bias: null };
    const bias = toFloat32(await listedValue(stateDict, biasName), { where: 'quant', tensor: biasName });
    const rows = quantized.weight.shape[0];
    if (!(bias.shape.length === 1 && bias.shape[0] === rows)) {
      throw new PruneError('mismatch', {
        where: 'quant',
        tensor: biasName,
        what: 'bias does not fit its weight',
        got: `shape [${bias.shape.join(', ')}]`,
        wanted: `[${rows}]`,
      });
    }
    return { kind: 'linear', ...quantized, bias };
  }

  return {
    keys: () => entries.keys(),
    async get(name) {
      const kind = entries.get(name);
      if (kind === undefined) return undefined;
      if (kind === 'linear') return linear(name);
      if (kind === 'embedding') return embedding(stateDict, name, bits ?? 8);
      const tensor = await listedValue(stateDict, name);
      return isFloat(tensor) ? toFloat32(tensor, { where: 'quant', tensor: name }) : tensor;
    },
  };
}

async function embedding(stateDict: StateDict, module: string, bits: 8 | 4): Promise<QuantizedEmbedding> {
  const name = `${module}.weight`;
  return quantizeEmbedding(await listedValue(stateDict, name), bits, { name });
}

function isFloat({ dtype }: Tensor): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float64';
}

/** `a.b.weight` is parameter `weight` of module `a.b`. */
function split(name: string): { module: string; parameter: string } {
  const dot = name.lastIndexOf('.');
  return { module: name.slice(0, Math.max(dot, 0)), parameter: name.slice(dot + 1) };
}

/** Whether `part` is a run of whole components of `name`. */
function hasComponents(name: string, part: string): boolean {
  return `.${name}.`.includes(`.${part}.`);
}

function embeddingBits(precision: EmbeddingPrecision): 8 | 4 | undefined {
  if (precision === 'f32') return undefined;
  if (Object.hasOwn(EMBEDDING_BITS, precision)) return EMBEDDING_BITS[precision];
  throw new PruneError('invalid-argument', {
    where: 'quant',
    what: 'unknown embedding precision',
    got: precision,
    wanted: 'f32, int8 or int4',
  });
}
