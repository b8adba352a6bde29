import type { Summary } from '../../harness/summary.js';

/** Every pass of a side in a cell. */
export interface Latency extends Summary {
  readonly p95: number;
  readonly p99: number;
}

/** One side at one size of work. */
export interface InferRow {
  readonly model: string;
  readonly tokens: number;
  readonly batch: number;
  readonly threads: number;
  /** `prune, ...` or a peer with its precision. */
  readonly side: string;
  /** Of one forward pass of the whole batch. */
  readonly seconds: Latency;
  /** Tokens a second at the median. */
  readonly throughput: number;
  /** Peers only: this side's time over ours, median of each round by median of the round; by side of ours. */
  readonly oursTimesFaster?: Readonly<Record<string, Summary>>;
}

/** How far two sides are apart on the same tokens, before anything is timed. */
export interface Agreement {
  readonly model: string;
  readonly side: string;
  readonly against: string;
  /** Largest difference of any start or end logit, and the largest logit. */
  readonly largestDifference: number;
  readonly largestLogit: number;
}

/** From a file on disk to the first answer, in a process of its own. */
export interface FirstRow {
  readonly model: string;
  readonly side: string;
  /** Opening, loading and the first pass; starting Node is not counted. */
  readonly seconds: Summary;
  readonly peakBytes: Summary;
  /** Peers only: this side's time over ours, round by round; by side of ours. */
  readonly oursTimesFaster?: Readonly<Record<string, Summary>>;
}

/** How close ours comes to what this machine can do. */
export interface RooflineRow {
  readonly model: string;
  readonly side: string;
  readonly tokens: number;
  /** Nonzeros times tokens over the time of the whole pass, attention and everything else included. */
  readonly multiplyAddsPerSecond: number;
  /** Whose instructions they are: of relaxed SIMD the dot product of two, or of four (VNNI). */
  readonly kernel?: 'wasm-simd' | 'wasm-relaxed' | 'wasm-dot4';
  /** Measured here, registers alone, with the instructions of the kernel in use; WebAssembly only. */
  readonly peakPerSecond?: number;
  /** What a dense pass of the same time would have done. */
  readonly denseEquivalentPerSecond: number;
}

/** The inference section of report.json. */
export interface InferReport {
  readonly agreement: readonly Agreement[];
  readonly rows: readonly InferRow[];
  readonly first: readonly FirstRow[];
  readonly roofline: readonly RooflineRow[];
  /** What computes, by side: our kernels, and the form that a peer has chosen. */
  readonly kernels?: Readonly<Record<string, string>>;
}
