import {
  type CsrMatrix,
  type CsrRows,
  checkLimit,
  checkReadableMap,
  DEFAULT_LIMITS,
  type Elementary,
  type ElementaryStateDict,
  EMBEDDING_PARTS,
  LINEAR_PARTS,
  type Limits,
  linearNames,
  outputModuleOf,
  PruneError,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  splitPartName,
  type Tensor,
} from '@prune/core';
import { CODE_DTYPES } from './code-dtypes.js';
import {
  type ModuleReader,
  readCsr,
  readEmbedding,
  readLinear,
  readRows,
  readTableRows,
  type TableRows,
  type WeightReader,
} from './read-module.js';
import { toDense } from './to-dense.js';

/** Options of {@link recompose} and {@link recomposeSparse}. */
export interface RecomposeOptions {
  /** Default: `DEFAULT_LIMITS` of `@prune/core`. */
  readonly limits?: Limits;
}

/**
 * The quantized state dict of the notebook's elementary form, its weights dense. Lazy: `get` reads, checks and rebuilds that one module.
 * Reads the layouts of torch 1.4 (no `dtype`), 1.5 and later. Throws `unsupported` for packed parts that it does not know; `get` throws
 * `missing`, `mismatch`, `corrupt`, `limit` or `unsupported` (a zero point that is not 0, other code dtypes) with the tensor's name.
 */
export function recompose(elementary: ElementaryStateDict, options: RecomposeOptions = {}): QuantizedStateDict {
  const sparse = recomposeSparse(elementary, options);
  return {
    keys: () => sparse.keys(),
    async get(name) {
      const entry = await sparse.get(name);
      if (entry === undefined || !('kind' in entry) || entry.kind === 'embedding') return entry;
      return { ...entry, weight: toDense(entry.weight) };
    },
  };
}

/** {@link recompose} without densifying: what inference reads. Every matrix has passed `validateCsr`. */
export function recomposeSparse(
  elementary: ElementaryStateDict,
  options: RecomposeOptions = {},
): QuantizedStateDict<CsrMatrix> {
  return lazyModules(elementary, options, readCsr);
}

/** What {@link recomposeRows} gives. */
export interface RowsStateDict extends QuantizedStateDict<CsrMatrix | CsrRows> {
  /**
   * The embedding table or float tensor of this name, to be read some rows at a time; `undefined` when {@link get}
   * alone has it. Throws as `get` does.
   */
  tableRows(name: string): Promise<TableRows | undefined>;
}

/**
 * {@link recomposeSparse}, but a matrix that the store can hand out row by row is left to do so, which saves its
 * arrays. Such rows are unchecked: take them with `takeRows` or `csrOfRows` of `@prune/core`. `tableRows` gives the
 * tables of which the store reads some rows without the others.
 */
export function recomposeRows(elementary: ElementaryStateDict, options: RecomposeOptions = {}): RowsStateDict {
  return lazyModules(elementary, options, readRows);
}

function lazyModules<M>(
  elementary: ElementaryStateDict,
  { limits = DEFAULT_LIMITS }: RecomposeOptions,
  readWeight: WeightReader<M>,
): QuantizedStateDict<M> & Pick<RowsStateDict, 'tableRows'> {
  checkReadableMap('csr', 'elementary state dict of recompose', elementary);
  const { names, kinds } = modulesOf(elementary.keys(), limits);
  const reader: ModuleReader = {
    limits,
    async get(name) {
      return names.has(name) ? elementary.get(name) : undefined;
    },
    async rows(name) {
      return elementary.rows?.(name);
    },
    info(name) {
      return names.has(name) ? elementary.info?.(name) : undefined;
    },
    async selectRows(parts, rows, options) {
      return elementary.selectRows?.(parts, rows, options);
    },
  };
  return {
    keys: () => kinds.keys(),
    async get(name): Promise<QuantizedLinear<M> | QuantizedEmbedding | Tensor | undefined> {
      const kind = kinds.get(name);
      if (kind === undefined) return undefined;
      if (kind === 'linear') return readLinear(reader, name, readWeight);
      if (kind === 'embedding') return readEmbedding(reader, name);
      return plainTensor(await reader.get(name), name);
    },
    async tableRows(name) {
      const kind = kinds.get(name);
      if (kind === undefined || kind === 'linear' || elementary.selectRows === undefined) return undefined;
      return readTableRows(reader, name, kind);
    },
  };
}

type Kind = 'linear' | 'embedding' | 'tensor';

const ONLY_LINEAR: ReadonlySet<string> = new Set(Object.values(LINEAR_PARTS).filter((part) => part !== 'dtype'));
const ONLY_EMBEDDING: ReadonlySet<string> = new Set(Object.values(EMBEDDING_PARTS).filter((part) => part !== 'dtype'));

/** Which modules and tensors there are, in the order of their first names. */
function modulesOf(keys: Iterable<string>, limits: Limits) {
  const names = new Set(keys);
  checkLimit('too many tensors', names.size, limits.tensors, { where: 'csr' });
  const modules = new Map<string, Kind>();
  for (const name of names) {
    const split = splitPartName(name);
    if (split === undefined) continue;
    const { module, part } = split;
    const kind = ONLY_LINEAR.has(part) ? 'linear' : ONLY_EMBEDDING.has(part) ? 'embedding' : undefined;
    if (kind === undefined && part !== 'dtype') {
      throw new PruneError('unsupported', {
        where: 'csr',
        tensor: name,
        what: 'unknown part of a quantized module',
        got: part,
        wanted: [...ONLY_LINEAR, ...ONLY_EMBEDDING].join(', '),
      });
    }
    const known = modules.get(module);
    if (known !== undefined && kind !== undefined && known !== kind) {
      throw new PruneError('corrupt', { where: 'csr', tensor: module, what: 'both a Linear and an embedding table' });
    }
    if (kind !== undefined) modules.set(module, kind);
  }
  const kinds = new Map<string, Kind>();
  for (const name of names) {
    const module = moduleOf(name, modules);
    if (module === undefined && modules.has(name)) {
      throw new PruneError('corrupt', { where: 'csr', tensor: name, what: 'both a tensor and a quantized module' });
    }
    kinds.set(module ?? name, module === undefined ? 'tensor' : (modules.get(module) ?? 'tensor'));
  }
  return { names, kinds };
}

/** The quantized module that a name belongs to: a packed part always, `X.scale` and `X.zero_point` only where `X` is a quantized Linear. */
function moduleOf(name: string, modules: ReadonlyMap<string, Kind>): string | undefined {
  const split = splitPartName(name);
  if (split !== undefined) {
    if (modules.has(split.module)) return split.module;
    throw new PruneError('missing', {
      where: 'csr',
      tensor: linearNames(split.module).data,
      what: `not there, but "${name}" is`,
    });
  }
  const module = outputModuleOf(name);
  return module !== undefined && modules.get(module) === 'linear' ? module : undefined;
}

function plainTensor(value: Elementary | undefined, name: string): Tensor {
  if (typeof value === 'object') return value;
  throw new PruneError(value === undefined ? 'missing' : 'mismatch', {
    where: 'csr',
    tensor: name,
    what: 'not a tensor',
    got: value === undefined ? 'nothing' : JSON.stringify(value),
    wanted: `a tensor (only ${CODE_DTYPES.linear} and its kin are strings)`,
  });
}
