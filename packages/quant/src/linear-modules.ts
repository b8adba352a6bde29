import {
  checkArgument,
  type JsonObject,
  type ModelFamily,
  modelFamily,
  moduleKinds,
  type TensorInfo,
} from '@prune/core';

/** What a model's parameters belong to. Spread it into the options of `quantizeDynamic`. */
export interface LinearModules {
  /** The family whose modules the model has, or `undefined` when it is not known. */
  readonly architecture: ModelFamily | undefined;
  /**
   * Whether the modules come from the architecture. If not, they were guessed from shapes and names, and people should
   * be told.
   */
  readonly known: boolean;
  /** Modules `X` that are nn.Linear and whose `X.weight` is in the state dict. */
  readonly linears: ReadonlySet<string>;
  /** Modules `X` that are nn.Embedding and whose `X.weight` is in the state dict. */
  readonly embeddingTables: ReadonlySet<string>;
}

/**
 * Last components of the modules that hold embedding tables in architectures that are not known. Components, not
 * substrings.
 */
const TABLE_NAME = /^(?:(?:.+_)?embeddings?|embed_(?:tokens|positions)|shared|wte|wpe|relative_attention_bias)$/;

/**
 * Returns which modules of a checkpoint are nn.Linear and nn.Embedding, from `model_type` (or the first of
 * `architectures`) of its config.json and the names of its parameters. A Linear that is tied and so has no weight in
 * the checkpoint (`cls.predictions.decoder` and its kin) is not listed: nothing of it is stored, and whoever runs the
 * head multiplies by the embedding table. If the architecture is not known, every `.weight` of two dimensions that is
 * not an embedding table counts as a Linear, with `known: false`. `parameters` may be a `Map<string, Tensor>`.
 */
export function linearModules(
  config: JsonObject | undefined,
  parameters: Iterable<readonly [name: string, info: TensorInfo]>,
): LinearModules {
  const fits = typeof (parameters as typeof parameters | undefined)?.[Symbol.iterator] === 'function';
  const wanted = 'a Map of tensors, or pairs of a name and a dtype and shape';
  checkArgument(
    fits && typeof parameters !== 'string',
    { where: 'quant', what: 'parameters of linearModules', wanted },
    parameters,
  );
  const architecture = modelFamily(config);
  const kindOf = architecture === undefined ? undefined : moduleKinds(architecture);
  const linears = new Set<string>();
  const embeddingTables = new Set<string>();
  for (const [parameter, { shape }] of parameters) {
    if (!parameter.endsWith('.weight')) continue;
    const module = parameter.slice(0, -'.weight'.length);
    if (kindOf !== undefined) {
      const kind = kindOf(module);
      if (kind === 'linear') linears.add(module);
      else if (kind === 'embedding') embeddingTables.add(module);
    } else if (shape.length === 2) {
      if (TABLE_NAME.test(module.slice(module.lastIndexOf('.') + 1))) embeddingTables.add(module);
      else linears.add(module);
    }
  }
  return { architecture, known: architecture !== undefined, linears, embeddingTables };
}
