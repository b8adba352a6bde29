import type { SectionName } from './sections/section-names.js';

/** What the command line says. */
export interface BenchOptions {
  readonly only: readonly SectionName[];
  readonly quick: boolean;
  readonly model: readonly string[];
  readonly rounds?: number;
  readonly output: string;
  readonly save: boolean;
  readonly check: boolean;
  readonly publish: boolean;
  readonly from?: readonly string[];
}
