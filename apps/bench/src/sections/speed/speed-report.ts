import type { Summary } from '../../harness/summary.js';
import type { Agreement, FirstRow, InferRow } from '../infer/infer-report.js';

/** A side of ours at several densities beside the dense peer, whose time does not depend on it. */
export interface DensitySweep {
  readonly side: string;
  readonly tokens: number;
  readonly threads: number;
  readonly peer: string;
  readonly rows: readonly { readonly density: number; readonly seconds: number; readonly peerSeconds: number }[];
  /** Where ours takes as long as the peer; `null` when it is faster or slower at every density. */
  readonly crossover: number | null;
}

/** Two sides of ours in the same rounds. */
export interface OwnRatio {
  readonly slower: string;
  readonly faster: string;
  /** The time of `slower` over that of `faster`, round by round. */
  readonly times: Summary;
}

/** The section of report.json that the goals of speed are read from. */
export interface SpeedReport {
  /** What computes, by side: our kernels, and the form that a peer has chosen. */
  readonly kernels: Readonly<Record<string, string>>;
  readonly agreement: readonly Agreement[];
  /** BERT-base at the sizes of work that have a goal, every side. */
  readonly cells: readonly InferRow[];
  /** Our kernels against each other: BERT-base, 128 tokens, one thread, float32 attention. */
  readonly own: readonly OwnRatio[];
  /** The small model at every size of work, ours and onnxruntime's. */
  readonly small: readonly InferRow[];
  readonly densities: readonly DensitySweep[];
  readonly first: readonly FirstRow[];
}
