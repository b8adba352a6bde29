import type { Summary } from '../../harness/summary.js';

/** Ours, in the rows. */
export const OURS_ON_THE_WEB = '@prune/web';

/** What ours is compared with. */
export const TRANSFORMERS_JS = 'transformers.js, int8';

/** One side in one browser: visits with a fresh profile, each followed by a second visit. */
export interface WebRow {
  readonly browser: string;
  readonly side: string;
  /** From the start of the navigation to the first answer. */
  readonly first: Summary;
  /** The same for a second visit in the same profile. */
  readonly second: Summary;
  /** The second visit's time over the first's, round by round. */
  readonly secondOverFirst: Summary;
  /**
   * Bodies of all answers that were sent before the first answer was there: code, WebAssembly and model; the most of
   * all rounds.
   */
  readonly bytes: number;
  /** Of these, the model's file. */
  readonly modelBytes: number;
  /** The same for the second visit. */
  readonly secondBytes: number;
  /** A visit after one that fetched the rest of the model; of a side that can do this. */
  readonly whole?: { readonly seconds: Summary; readonly overFirst: Summary; readonly bytes: number };
  /**
   * Seconds that the page could not react for at most, in any first visit; 0 where nothing longer than 50 ms was seen.
   */
  readonly longestTask: number;
  /** The peer's time to the first answer over this side's; ours only. */
  readonly timesFaster?: Summary;
}

/** What a side answered before anything was timed. */
export interface WebAgreement {
  readonly browser: string;
  readonly side: string;
  readonly text: string;
  /** Start logit plus end logit; ours is the one that Node computes, bit for bit. The peer's is a probability. */
  readonly score: number;
}

/** The web section of report.json. */
export interface WebReport {
  readonly model: string;
  /** Bytes of the `.prune` file. */
  readonly fileBytes: number;
  /** Bytes of JavaScript and WebAssembly that ours needs, compressed with gzip. */
  readonly codeBytes: number;
  /** Bits a second and seconds before each answer of the server. */
  readonly line: { readonly bitsPerSecond: number; readonly latency: number };
  readonly question: string;
  readonly contextWords: number;
  readonly agreement: readonly WebAgreement[];
  readonly rows: readonly WebRow[];
}
