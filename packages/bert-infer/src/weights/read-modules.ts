import {
  type Elementary,
  type ElementaryStateDict,
  locateError,
  missingEmbeddings,
  Pacer,
  PruneError,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  type StateDict,
  type Tensor,
  toFloat32InTurns,
  untilAborted,
} from '@prune/core';
import { recomposeRows, recomposeSparse } from '@prune/csr';
import type { AnyLinear, FloatLinear, LayerLinear, LayerNormParameters } from '@prune/kernels';
import type { WholeTable } from './embed-tokens.js';

/** A model's modules by name, each checked against the shape that the config wants before it is used. Lazy: one module a call. */
export interface ModuleReader {
  readonly names: ReadonlySet<string>;
  /** Whether a Linear of this name is there, quantized or float. */
  hasLinear(module: string): boolean;
  /** `rows` undefined: as many as are stored. */
  linear(module: string, rows: number | undefined, columns: number): Promise<AnyLinear>;
  /**
   * The same for an engine to load: a weight that the store can hand out row by row stays there. `by`: what wants this
   * shape, for messages. Default: the config.
   */
  layerLinear(module: string, rows: number | undefined, columns: number, by?: string): Promise<LayerLinear>;
  layerNorm(module: string, length: number): Promise<LayerNormParameters>;
  table(module: string, rows: number, columns: number): Promise<WholeTable>;
  /** The same table, left in the store; `undefined` when the store cannot read some rows of it without the others. */
  tableRows(module: string, rows: number, columns: number): Promise<ModuleRows | undefined>;
  vector(name: string, length: number): Promise<Float32Array>;
}

/** A table that is left in its store. */
export interface ModuleRows {
  readonly shape: readonly [rows: number, columns: number];
  /** The table of these rows alone, in their order. Throws what the store throws, with the tensor's name. */
  select(rows: Int32Array, signal: AbortSignal | undefined): Promise<WholeTable>;
}

/**
 * Reads modules out of the elementary form (or a float state dict, which is one without packed parts). `embeddings` is asked for what starts
 * with `embeddings.` behind the family's prefix and is not in the store. Errors: `missing`, `mismatch`, and whatever
 * the store throws; `aborted` as soon as the signal aborts, whatever the store is reading.
 */
export function readModules(store: ElementaryStateDict, embeddings?: StateDict, signal?: AbortSignal): ModuleReader {
  const elementary = readsUntilAborted(embeddings === undefined ? store : joined(store, embeddings), signal);
  const modules = recomposeSparse(elementary);
  const rowModules = recomposeRows(elementary);
  const names = new Set(modules.keys());

  const floats = async (name: string, shape: Shape, by?: string): Promise<Tensor<'float32'>> => {
    const entry = names.has(name) ? await modules.get(name) : undefined;
    if (entry === undefined) throw missing(name);
    if ('kind' in entry) throw mismatch(name, `a quantized ${entry.kind}`, `a float tensor [${shape.join(', ')}]`);
    checkShape(name, entry.shape, shape, by);
    return untilAborted(widened(entry, name), signal);
  };
  const vector = async (name: string, length: number | undefined) => (await floats(name, [length])).data;

  async function linearOf<M extends { readonly shape: readonly number[] }>(
    from: QuantizedStateDict<M>,
    module: string,
    shape: readonly [rows: number | undefined, columns: number],
    by?: string,
  ): Promise<QuantizedLinear<M> | FloatLinear> {
    const entry = names.has(module) ? await from.get(module) : undefined;
    if (entry === undefined) {
      const { data: weight, shape: got } = await floats(`${module}.weight`, shape, by);
      const bias = names.has(`${module}.bias`) ? await vector(`${module}.bias`, got[0]) : null;
      return { kind: 'float', weight, shape: [got[0], shape[1]], bias };
    }
    if (!('kind' in entry) || entry.kind !== 'linear') throw mismatch(module, 'something else', 'a quantized Linear');
    checkShape(module, entry.weight.shape, shape, by);
    return entry;
  }

  return {
    names,
    hasLinear: (module) => names.has(module) || names.has(`${module}.weight`),
    vector,
    async layerNorm(module, length) {
      return { weight: await vector(`${module}.weight`, length), bias: await vector(`${module}.bias`, length) };
    },
    linear: (module, rows, columns) => linearOf(modules, module, [rows, columns]),
    layerLinear: (module, rows, columns, by) => linearOf(rowModules, module, [rows, columns], by),
    async table(module, rows, columns) {
      const entry = names.has(module) ? await modules.get(module) : undefined;
      if (entry === undefined) return floats(`${module}.weight`, [rows, columns]);
      if (!('kind' in entry) || entry.kind !== 'embedding')
        throw mismatch(module, 'something else', 'an embedding table');
      checkShape(module, entry.shape, [rows, columns]);
      return entry;
    },
    async tableRows(module, rows, columns) {
      const name = names.has(module) ? module : `${module}.weight`;
      const stored = await rowModules.tableRows(name);
      if (stored === undefined) return undefined;
      checkShape(name, stored.shape, [rows, columns]);
      const none = await stored.select([], { signal });
      if (none === undefined) return undefined;
      // So that a dtype which is not a float is refused here, and not when the first text comes.
      await wholeTable(none, name);
      return {
        shape: [rows, columns],
        async select(wanted, signal) {
          try {
            const selected = await stored.select(wanted, { signal });
            if (selected !== undefined) return await wholeTable(selected, name);
          } catch (error) {
            throw readError(error, name);
          }
          throw new PruneError('io', { where: 'bert-infer', what: 'the store stopped giving rows', tensor: name });
        },
      };
    },
  };
}

async function wholeTable(table: QuantizedEmbedding | Tensor, name: string): Promise<WholeTable> {
  return 'kind' in table ? table : widened(table, name);
}

function widened(tensor: Tensor, name: string): Promise<Tensor<'float32'>> {
  return toFloat32InTurns(tensor, new Pacer(), { where: 'bert-infer', tensor: name });
}

/** The rows asked for are rows of the table, so what a store calls an invalid argument is that it is closed. */
function readError(error: unknown, tensor: string): PruneError {
  const located = locateError(error, { where: 'bert-infer', tensor });
  if (located.code !== 'invalid-argument') return located;
  const { where, what } = located;
  const wanted = 'a store that is open as long as the model, which reads rows from it (`lazyEmbeddings`)';
  return new PruneError('invalid-argument', { where, what, wanted, tensor, cause: error });
}

/** The store, and what of the embeddings it lacks, under the names that the store would have. */
function joined(store: ElementaryStateDict, embeddings: StateDict): ElementaryStateDict {
  const own = [...store.keys()];
  const extra = missingEmbeddings(own, embeddings.keys());
  return {
    keys: () => [...own, ...extra.keys()],
    get(name): Promise<Elementary | undefined> | Elementary | undefined {
      const outside = extra.get(name);
      return outside === undefined ? store.get(name) : embeddings.get(outside);
    },
    info: (name) => (extra.has(name) ? undefined : store.info?.(name)),
    rows: async (name) => store.rows?.(name),
    selectRows: async (names, rows, options) =>
      names.some((name) => extra.has(name)) ? undefined : store.selectRows?.(names, rows, options),
  } satisfies Required<ElementaryStateDict>;
}

/**
 * The same state dict. A read that cannot be stopped is not waited for once the signal aborts; rows have the signal of
 * whoever asks for them, because they are read after the model was loaded.
 */
function readsUntilAborted(store: ElementaryStateDict, signal: AbortSignal | undefined): ElementaryStateDict {
  return {
    keys: () => store.keys(),
    get: async (name) => untilAborted(Promise.resolve(store.get(name)), signal),
    info: (name) => store.info?.(name),
    rows: async (name) => untilAborted(Promise.resolve(store.rows?.(name)), signal),
    selectRows: async (names, rows, options) =>
      untilAborted(Promise.resolve(store.selectRows?.(names, rows, options)), options?.signal),
  } satisfies Required<ElementaryStateDict>;
}

type Shape = readonly (number | undefined)[];

function checkShape(tensor: string, got: readonly number[], wanted: Shape, by = 'the config'): void {
  if (got.length !== wanted.length || !wanted.every((n, axis) => n === undefined || n === got[axis])) {
    throw mismatch(tensor, `[${got.join(', ')}]`, `[${wanted.map((n) => n ?? 'any').join(', ')}] by ${by}`);
  }
}

/** The error for a tensor that the model's config rules out. */
export function mismatch(tensor: string, got: string, wanted: string): PruneError {
  return new PruneError('mismatch', {
    where: 'bert-infer',
    what: 'tensor does not fit the model',
    tensor,
    got,
    wanted,
  });
}

function missing(tensor: string): PruneError {
  const wanted = /embeddings/.test(tensor)
    ? 'a model packed with its embeddings, or the option `embeddings`: a checkpoint that has them'
    : undefined;
  return new PruneError('missing', { where: 'bert-infer', what: 'not in the model', wanted, tensor });
}
