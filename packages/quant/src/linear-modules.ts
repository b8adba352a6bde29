import type { JsonObject, TensorInfo } from '@prune/core';

/** What a model's parameters belong to. Spread it into the options of `quantizeDynamic`. */
export interface LinearModules {
  /** `bert`, `distilbert` or `roberta`, or `undefined` when it is not known. */
  readonly architecture: string | undefined;
  /** Whether the modules come from the architecture; if not, they were told apart by shape and name, and people should be told. */
  readonly known: boolean;
  /** Modules `X` that are nn.Linear and whose `X.weight` is in the state dict. */
  readonly linears: ReadonlySet<string>;
  /** Modules `X` that are nn.Embedding and whose `X.weight` is in the state dict. */
  readonly embeddingTables: ReadonlySet<string>;
}

interface Architecture {
  readonly linears: RegExp;
  readonly embeddingTables: RegExp;
}

const BERT_LAYER =
  'encoder\\.layer\\.\\d+\\.(?:(?:cross)?attention\\.(?:self\\.(?:query|key|value)|output\\.dense)|(?:intermediate|output)\\.dense)';
const BERT_TABLES = 'embeddings\\.(?:word|position|token_type)_embeddings';

/** Whole module names, by the classes of transformers' modeling_bert.py, modeling_distilbert.py and modeling_roberta.py, every head included. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  bert: {
    linears: new RegExp(
      `^(?:(?:bert\\.)?(?:${BERT_LAYER}|pooler\\.dense)|cls\\.predictions\\.(?:transform\\.dense|decoder)|cls\\.seq_relationship|classifier|qa_outputs)$`,
    ),
    embeddingTables: new RegExp(`^(?:bert\\.)?${BERT_TABLES}$`),
  },
  distilbert: {
    linears:
      /^(?:(?:distilbert\.)?transformer\.layer\.\d+\.(?:attention\.(?:q|k|v|out)_lin|ffn\.lin[12])|vocab_transform|vocab_projector|pre_classifier|classifier|qa_outputs)$/,
    embeddingTables: /^(?:distilbert\.)?embeddings\.(?:word|position)_embeddings$/,
  },
  roberta: {
    linears: new RegExp(
      `^(?:(?:roberta\\.)?(?:${BERT_LAYER}|pooler\\.dense)|lm_head\\.(?:dense|decoder)|classifier(?:\\.(?:dense|out_proj))?|qa_outputs)$`,
    ),
    embeddingTables: new RegExp(`^(?:roberta\\.)?${BERT_TABLES}$`),
  },
};

/** `model_type`s that have the modules of another. `masked_bert` is what movement pruning's own code writes. */
const SAME_AS: Readonly<Record<string, string>> = {
  masked_bert: 'bert',
  camembert: 'roberta',
  'xlm-roberta': 'roberta',
};

/** Last components of the modules that hold embedding tables in architectures that are not known. Components, not substrings. */
const TABLE_NAME = /^(?:(?:.+_)?embeddings?|embed_(?:tokens|positions)|shared|wte|wpe|relative_attention_bias)$/;

/**
 * Which modules of a checkpoint are nn.Linear and nn.Embedding, from `model_type` (or the first of `architectures`) of its config.json and the
 * names of its parameters. A Linear that is tied and so has no weight in the checkpoint (`cls.predictions.decoder` and its kin) is not listed:
 * nothing of it is stored, and who runs the head multiplies by the embedding table. For an architecture that is not known, every
 * `.weight` of two dimensions that is no embedding table, with `known: false`. `parameters` may be a `Map<string, Tensor>`.
 */
export function linearModules(
  config: JsonObject | undefined,
  parameters: Iterable<readonly [name: string, info: TensorInfo]>,
): LinearModules {
  const name = architectureOf(config);
  const architecture = name === undefined ? undefined : ARCHITECTURES[name];
  const linears = new Set<string>();
  const embeddingTables = new Set<string>();
  for (const [parameter, { shape }] of parameters) {
    if (!parameter.endsWith('.weight')) continue;
    const module = parameter.slice(0, -'.weight'.length);
    if (architecture !== undefined) {
      if (architecture.linears.test(module)) linears.add(module);
      else if (architecture.embeddingTables.test(module)) embeddingTables.add(module);
    } else if (shape.length === 2) {
      if (TABLE_NAME.test(module.slice(module.lastIndexOf('.') + 1))) embeddingTables.add(module);
      else linears.add(module);
    }
  }
  return { architecture: name, known: architecture !== undefined, linears, embeddingTables };
}

/** A key of {@link ARCHITECTURES}. Configs before transformers 2.4 have no `model_type`. */
function architectureOf(config: JsonObject | undefined): string | undefined {
  const type = config?.model_type;
  if (typeof type === 'string') {
    const name = Object.hasOwn(SAME_AS, type) ? SAME_AS[type] : type;
    return Object.hasOwn(ARCHITECTURES, name) ? name : undefined;
  }
  const classes = config?.architectures;
  const first: unknown = Array.isArray(classes) ? classes[0] : undefined;
  if (typeof first !== 'string') return undefined;
  const prefix = /^(Masked)?(Bert|DistilBert|Roberta)(?=Model$|For[A-Z])/.exec(first)?.[2];
  return prefix?.toLowerCase();
}
