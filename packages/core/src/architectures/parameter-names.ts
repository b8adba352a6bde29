/** The families whose models run, by the `model_type` that transformers gives them. */
export type ModelFamily = 'bert' | 'distilbert' | 'roberta';

/** Where one encoder layer's modules are, in the order of the computation. */
export interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
  readonly intermediate: string;
  readonly output: string;
  readonly outputNorm: string;
}

/** Where a family keeps its modules; names as in transformers, so a file is read as it is. */
export interface ParameterNames {
  readonly wordEmbeddings: string;
  readonly positionEmbeddings: string;
  readonly tokenTypeEmbeddings: string;
  readonly embeddingNorm: string;
  layer(index: number): LayerNames;
  readonly questionAnswering: string;
  /** From the first token's hidden state to the labels: `dense`, `activation`, `classifier`. */
  readonly sequenceClassification: {
    readonly dense: string;
    readonly activation: 'tanh' | 'relu';
    readonly classifier: string;
  };
  readonly tokenClassification: string;
  readonly maskedLanguageModel: {
    readonly dense: string;
    readonly norm: string;
    readonly decoder: string;
    /** Where the decoder's bias is when the decoder itself is tied to the word embeddings. */
    readonly bias: string;
  };
}

/** The names of a family's modules. `prefix` is `bert.` and the like, or empty for a model saved without a head. */
export function parameterNames(family: ModelFamily, prefix: string): ParameterNames {
  return family === 'distilbert' ? distilbertNames(prefix) : bertNames(family, prefix);
}

function bertNames(family: 'bert' | 'roberta', prefix: string): ParameterNames {
  const embeddings = `${prefix}embeddings`;
  const roberta = family === 'roberta';
  return {
    wordEmbeddings: `${embeddings}.word_embeddings`,
    positionEmbeddings: `${embeddings}.position_embeddings`,
    tokenTypeEmbeddings: `${embeddings}.token_type_embeddings`,
    embeddingNorm: `${embeddings}.LayerNorm`,
    layer(index) {
      const layer = `${prefix}encoder.layer.${index}`;
      return {
        query: `${layer}.attention.self.query`,
        key: `${layer}.attention.self.key`,
        value: `${layer}.attention.self.value`,
        attentionOutput: `${layer}.attention.output.dense`,
        attentionNorm: `${layer}.attention.output.LayerNorm`,
        intermediate: `${layer}.intermediate.dense`,
        output: `${layer}.output.dense`,
        outputNorm: `${layer}.output.LayerNorm`,
      };
    },
    questionAnswering: 'qa_outputs',
    sequenceClassification: roberta
      ? { dense: 'classifier.dense', activation: 'tanh', classifier: 'classifier.out_proj' }
      : { dense: `${prefix}pooler.dense`, activation: 'tanh', classifier: 'classifier' },
    tokenClassification: 'classifier',
    maskedLanguageModel: roberta
      ? { dense: 'lm_head.dense', norm: 'lm_head.layer_norm', decoder: 'lm_head.decoder', bias: 'lm_head.bias' }
      : {
          dense: 'cls.predictions.transform.dense',
          norm: 'cls.predictions.transform.LayerNorm',
          decoder: 'cls.predictions.decoder',
          bias: 'cls.predictions.bias',
        },
  };
}

function distilbertNames(prefix: string): ParameterNames {
  const embeddings = `${prefix}embeddings`;
  return {
    wordEmbeddings: `${embeddings}.word_embeddings`,
    positionEmbeddings: `${embeddings}.position_embeddings`,
    tokenTypeEmbeddings: `${embeddings}.token_type_embeddings`,
    embeddingNorm: `${embeddings}.LayerNorm`,
    layer(index) {
      const layer = `${prefix}transformer.layer.${index}`;
      return {
        query: `${layer}.attention.q_lin`,
        key: `${layer}.attention.k_lin`,
        value: `${layer}.attention.v_lin`,
        attentionOutput: `${layer}.attention.out_lin`,
        attentionNorm: `${layer}.sa_layer_norm`,
        intermediate: `${layer}.ffn.lin1`,
        output: `${layer}.ffn.lin2`,
        outputNorm: `${layer}.output_layer_norm`,
      };
    },
    questionAnswering: 'qa_outputs',
    sequenceClassification: { dense: 'pre_classifier', activation: 'relu', classifier: 'classifier' },
    tokenClassification: 'classifier',
    maskedLanguageModel: {
      dense: 'vocab_transform',
      norm: 'vocab_layer_norm',
      decoder: 'vocab_projector',
      bias: 'vocab_projector.bias',
    },
  };
}
