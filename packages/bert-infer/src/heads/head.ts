import type { Tensor } from '@prune/core';
import type { AnyLinear, LoadedLinear } from '@prune/kernels';
import type { PackedBatch } from '../batch/pack-batch.js';

/** What a head makes of the last hidden states. */
export type Logits = QuestionAnsweringLogits | SequenceLogits | TokenLogits;

/** `BertForQuestionAnswering`: each token's fitness as the answer's first and last, `[batch, length]`. */
export interface QuestionAnsweringLogits {
  readonly head: 'question-answering';
  readonly start_logits: Tensor<'float32'>;
  readonly end_logits: Tensor<'float32'>;
}

/** `BertForSequenceClassification`: `[batch, labels]`. */
export interface SequenceLogits {
  readonly head: 'sequence-classification';
  readonly logits: Tensor<'float32'>;
}

/** `BertForTokenClassification` (`[batch, length, labels]`) and `BertForMaskedLM` (`[batch, length, vocabulary]`). */
export interface TokenLogits {
  readonly head: 'token-classification' | 'masked-lm';
  readonly logits: Tensor<'float32'>;
}

/** The heads that are known. */
export type HeadName = Logits['head'];

/** The logits of one head. */
export type LogitsOf<H extends HeadName> = Logits & { readonly head: H };

/** A head that is loaded. */
export interface Head {
  readonly name: HeadName;
  /** `hidden` float32 `[tokens, hiddenSize]`, the tokens of `batch`. `signal` ends what takes long, with `aborted`. */
  logits(hidden: Float32Array, batch: PackedBatch, signal?: AbortSignal): Logits | Promise<Logits>;
}

/** Takes a head's Linear, of that name, into the model's engine. */
export type LoadLinear = (linear: AnyLinear, name: string) => LoadedLinear;
