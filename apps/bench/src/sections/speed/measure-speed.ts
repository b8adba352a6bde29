import { describeCell } from '../infer/describe-cell.js';
import { forkSides, type OnMissing } from '../infer/fork-sides.js';
import type { Agreement, InferRow } from '../infer/infer-report.js';
import { kernelsHere } from '../infer/kernels-here.js';
import { type Cell, measureCell } from '../infer/measure-cell.js';
import { measureFirst } from '../infer/measure-first.js';
import { proveAgreement } from '../infer/prove-agreement.js';
import { readyOf, type SidesReady } from '../infer/ready-of.js';
import type { Work } from '../infer/side.js';
import { ONNXRUNTIME_INT8, OURS, OURS_INT16, withKernels } from '../infer/side-names.js';
import { type InferFiles, sidesOf } from '../infer/sides.js';
import { GOALS } from './goals.js';
import { measureDensities } from './measure-densities.js';
import type { OwnRatio, SpeedReport } from './speed-report.js';

/** A model with its files. */
export interface SpeedModel {
  readonly name: string;
  readonly files: InferFiles;
}

/** What the goals are measured on. */
export interface SpeedModels {
  /** BERT-base at the goals' density. */
  readonly base: SpeedModel;
  /** The small model of every size of work. */
  readonly small: SpeedModel;
  /** BERT-base packed at several densities. */
  readonly densities: readonly { readonly density: number; readonly packed: string }[];
}

/** Options of {@link measureSpeed}. */
export interface MeasureSpeedOptions {
  readonly rounds: number;
  /** Numbers of threads that this machine can run. */
  readonly threads: readonly number[];
  /** The small model's sizes of work. */
  readonly work: readonly Work[];
  readonly onMissing: OnMissing;
  readonly log: (line: string) => void;
}

/** Seconds for all sides together: at a size of work of BERT-base, at one of the small model, and at a density. */
const SECONDS = { cell: 20, small: 4, density: 12 };

/** New processes for each side: a start takes a second or more. */
const MOST_FIRST_ROUNDS = 5;

/** Everything that has a goal: each peer that people would use instead, beside ours. */
export async function measureSpeed(
  { base, small, densities }: SpeedModels,
  { rounds, threads, work, onMissing, log }: MeasureSpeedOptions,
): Promise<{ readonly report: SpeedReport; readonly versions: SidesReady['versions'] }> {
  const { chosen, others } = await kernelsHere();
  if (!chosen.startsWith('native'))
    onMissing('native kernels', `they are not built, or do not run here; ${chosen} stands in`);
  if (!others.includes('wasm-wide')) onMissing('wasm-wide', 'it needs Node 24 or 26 on an x64');
  const agreement: Agreement[] = [];
  const [cells, smallRows, own]: [InferRow[], InferRow[], OwnRatio[]] = [[], [], []];
  let ready: SidesReady = { kernels: {}, versions: {} };

  /** Proves agreement once a model, with the first number of threads. */
  const measure = async (
    { name, files }: SpeedModel,
    count: number,
    specs: ReturnType<typeof sidesOf>,
    sizes: readonly Work[],
    seconds: number,
    onCell: (cell: Cell) => void,
  ) => {
    if (sizes.length === 0) return;
    const sides = await forkSides(specs, onMissing);
    try {
      if (agreement.every(({ model }) => model !== name)) agreement.push(...(await proveAgreement(name, files, sides)));
      ready = {
        kernels: { ...readyOf(sides).kernels, ...ready.kernels },
        versions: { ...ready.versions, ...readyOf(sides).versions },
      };
      for (const size of sizes) {
        const cell = await measureCell(name, size, count, sides, { rounds, seconds });
        onCell(cell);
        log(`speed: ${name}: ${describeCell(cell.rows)}`);
      }
    } finally {
      await Promise.all(sides.map((side) => side.close()));
    }
  };

  const kernels = others.filter((one) => one !== 'wasm-simd');
  for (const count of threads) {
    const sizes = GOALS.cells.filter((goal) => goal.threads === count);
    const specs = without(sidesOf(base.files, count, kernels), 'onnxruntime-web');
    await measure(base, count, specs, sizes, SECONDS.cell, (cell) => {
      cells.push(...cell.rows);
      if (cell.rows[0].threads === 1 && cell.rows[0].tokens === 128 && cell.rows[0].batch === 1)
        own.push(...ownRatios(cell));
    });
  }
  for (const count of threads) {
    const specs = only(sidesOf(small.files, count), OURS, OURS_INT16, ONNXRUNTIME_INT8);
    await measure(small, count, specs, work, SECONDS.small, (cell) => smallRows.push(...cell.rows));
  }

  const peer = sidesOf(base.files, 1).get(ONNXRUNTIME_INT8);
  const options = { tokens: 128, rounds, seconds: SECONDS.density, onMissing };
  const relaxed = others.includes('wasm-relaxed') ? (['wasm-relaxed'] as const) : [];
  const sweep = densities.map(({ density, packed }) => ({
    density,
    specs: without(sidesOf({ packed }, 1, relaxed), withKernels(OURS_INT16, 'wasm-relaxed')),
  }));
  log('speed: densities, then files to first answers');
  const specs = only(sidesOf(base.files, 1), OURS, ONNXRUNTIME_INT8);
  return {
    report: {
      kernels: ready.kernels,
      agreement,
      cells,
      own,
      small: smallRows,
      densities: peer === undefined ? [] : await measureDensities(sweep, peer, options),
      first: await measureFirst(base.name, specs, Math.min(rounds, MOST_FIRST_ROUNDS)),
    },
    versions: ready.versions,
  };
}

/** The other kernels against those that are chosen, and AVX2 against the widest of WebAssembly. */
function ownRatios({ rows, times }: Cell): OwnRatio[] {
  const others = rows.map(({ side }) => side).filter((side) => side.startsWith(`${OURS}, `));
  const [wide, avx2] = [withKernels(OURS, 'wasm-wide'), withKernels(OURS, 'native-avx2')];
  const pairs = [...others.map((slower) => [slower, OURS]), [wide, avx2]];
  return pairs.flatMap(([slower, faster]) => {
    const ratio = times(slower, faster);
    return ratio === undefined ? [] : [{ slower, faster, times: ratio }];
  });
}

function only<T>(sides: ReadonlyMap<string, T>, ...names: readonly string[]): Map<string, T> {
  return new Map([...sides].filter(([name]) => names.includes(name)));
}

function without<T>(sides: ReadonlyMap<string, T>, start: string): Map<string, T> {
  return new Map([...sides].filter(([name]) => !name.startsWith(start)));
}
