import type { Machine, Revision } from '../harness/machine.js';
import type { Accuracy } from '../sections/accuracy/measure-accuracy.js';
import type { CodecReport } from '../sections/codec/measure-codec.js';
import type { InferReport } from '../sections/infer/infer-report.js';
import type { LoadRow } from '../sections/load/measure-load.js';
import type { PackRow } from '../sections/pack/measure-pack.js';
import type { SectionName } from '../sections/section-names.js';
import type { SizesReport } from '../sections/sizes/size-row.js';
import type { SpeedReport } from '../sections/speed/speed-report.js';
import type { WebReport } from '../sections/web/web-report.js';

/** Changes whenever a field changes its meaning; `apps/bench/README.md` documents it. */
export const REPORT_SCHEMA = 'prune-bench/1';

/** A model that was measured. */
export interface MeasuredModel {
  readonly name: string;
  readonly origin: 'embedded' | 'seeded' | 'folder';
  /** Of the checkpoint's weights file, in hexadecimal. */
  readonly sha256: string;
}

/** report.json. Seconds, bytes, bits; a section that was not measured is not there, and `skipped` says why. */
export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** The options that it was made with. */
  readonly options: readonly string[];
  readonly quick: boolean;
  readonly machine: Machine;
  readonly revision: Revision;
  /** Of everything that was measured or measured with. */
  readonly versions: Readonly<Record<string, string>>;
  readonly models: readonly MeasuredModel[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  /** Sections that were measured at another time, and of what. */
  readonly later?: readonly { readonly section: SectionName; readonly created: string; readonly revision: Revision }[];
  readonly sizes?: SizesReport;
  readonly pack?: readonly PackRow[];
  readonly load?: readonly LoadRow[];
  readonly codec?: readonly CodecReport[];
  readonly infer?: InferReport;
  readonly speed?: SpeedReport;
  readonly web?: WebReport;
  readonly accuracy?: Accuracy;
}
