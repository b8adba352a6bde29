/** What a module is: nn.Linear, nn.Embedding or nn.LayerNorm. */
export type ModuleKind = 'linear' | 'embedding' | 'layer-norm';

/** A module of a family and its name, as transformers gives it. */
export interface Module<K extends ModuleKind = ModuleKind> {
  readonly kind: K;
  readonly name: string;
}

/**
 * Every module of a family that we know. The names of the heads are whole. All other names are relative to the base
 * model, which a model with a head keeps under `base_model_prefix`. Inference reads all modules but those that are
 * marked as known to quantization only.
 */
export interface FamilyModules {
  /** `base_model_prefix` of transformers, without the dot. */
  readonly baseModelPrefix: string;
  readonly embeddings: {
    readonly word: Module<'embedding'>;
    readonly position: Module<'embedding'>;
    readonly tokenType?: Module<'embedding'>;
    readonly norm: Module<'layer-norm'>;
  };
  /** Layer `i` is the module `<layers>.<i>`. */
  readonly layers: string;
  /** One encoder layer's modules, in the order of the computation. Names are relative to the layer. */
  readonly layer: {
    readonly query: Module<'linear'>;
    readonly key: Module<'linear'>;
    readonly value: Module<'linear'>;
    readonly attentionOutput: Module<'linear'>;
    readonly attentionNorm: Module<'layer-norm'>;
    readonly intermediate: Module<'linear'>;
    readonly output: Module<'linear'>;
    readonly outputNorm: Module<'layer-norm'>;
  };
  /** What a layer of a decoder has besides. Only quantization knows these Linears. Names are relative to the layer. */
  readonly crossAttention?: {
    readonly query: Module<'linear'>;
    readonly key: Module<'linear'>;
    readonly value: Module<'linear'>;
    readonly output: Module<'linear'>;
  };
  /**
   * The base model's dense layer on the first token. Inference reads it only where sequence classification needs it.
   */
  readonly pooler?: Module<'linear'>;
  readonly heads: {
    readonly questionAnswering: { readonly outputs: Module<'linear'> };
    /**
     * From the first token's hidden state to the labels. A family without a `dense` of its own classifies what the
     * pooler returns.
     */
    readonly sequenceClassification: {
      readonly dense?: Module<'linear'>;
      readonly classifier: Module<'linear'>;
    };
    readonly tokenClassification: { readonly classifier: Module<'linear'> };
    readonly maskedLanguageModel: {
      readonly dense: Module<'linear'>;
      readonly norm: Module<'layer-norm'>;
      readonly decoder: Module<'linear'>;
    };
    /** Only quantization knows this head. */
    readonly nextSentencePrediction?: { readonly classifier: Module<'linear'> };
  };
  /** What follows the dense layer of sequence classification. */
  readonly sequenceActivation: 'tanh' | 'relu';
  /** The parameter that holds the decoder's bias when the decoder itself is tied to the word embeddings. */
  readonly decoderBias: string;
}
