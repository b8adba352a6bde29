import { PruneError } from '@prune/core';
import { createEngine } from '@prune/kernels';
import { hasWideKernels } from '@prune/kernels/node';
import { interleave, ratios } from '../../harness/interleave.js';
import { quantile, summarize } from '../../harness/summary.js';
import type { BenchModel } from '../../model/bench-model.js';
import type { PeerPrecision } from '../../peers/bert-onnx.js';
import type { Peers } from '../../peers/ensure-peers.js';
import { crossoverOf } from './crossover.js';
import { type ForkedSide, forkSide } from './fork-side.js';
import type { Agreement, DensitySweep, InferRow, Latency } from './infer-report.js';
import { onnxFile } from './onnx-file.js';
import { packedModel } from './packed-model.js';
import type { SideSpec, Work } from './side.js';
import { type InferFiles, NATIVE_INT8, OURS, OURS_INT16, PLAIN_SIMD, sidesOf, WIDE, WIDE_INT16 } from './sides.js';

/** Options of {@link measureInference}. */
export interface MeasureInferenceOptions {
  readonly rounds: number;
  readonly threads: readonly number[];
  readonly work: readonly Work[];
  /** Left out: ours alone. */
  readonly peers?: Peers;
  readonly log?: (line: string) => void;
}

/** Passes that are timed in a round, after one that is not. */
const RUNS = 3;
/** Seconds for one size of work, all sides together: large batches get fewer rounds. */
const CELL_SECONDS = 20;
/** Larger batches are not given to the WebAssembly peer: a pass takes many seconds. */
const MOST_WEB_TOKENS = 512;

/**
 * The same int8 codes may differ by what is quantized between the Linears: the peer takes 8 bits where our default takes 7, so the check runs ours in the profile
 * with 8, and allows what steps of activations add up to over the layers. A wrong graph is off by the logits' own size.
 */
const AGREEMENT = 0.15;

/** The packed file and the peers' graphs of a model, made from it, in the precisions that are asked for. */
export async function inferFiles(
  model: BenchModel,
  peers: Peers | undefined,
  precisions: readonly PeerPrecision[] = ['fp32', 'int8'],
): Promise<InferFiles> {
  const packed = await packedModel(model);
  if (peers === undefined) return { packed };
  const files: { [P in PeerPrecision]?: string } = {};
  for (const precision of precisions) files[precision] = await onnxFile(model.name, packed, model.sha256, precision);
  return { packed, ...files, peers: peers.folder };
}

/** Every side of one model at every size of work, in interleaved rounds, each in a process of its own that is stopped while the others run. */
export async function measureInference(
  model: string,
  files: InferFiles,
  { rounds, threads, work, log = () => {} }: MeasureInferenceOptions,
): Promise<{ agreement: Agreement[]; rows: InferRow[] }> {
  const others = { plain: await hasRelaxedKernels(), wide: hasWideKernels() };
  const agreement: Agreement[] = [];
  const rows: InferRow[] = [];
  for (const count of threads) {
    const specs = sidesOf(files, count, others);
    const sides = await forkAll(specs);
    try {
      if (agreement.length === 0) agreement.push(...(await proveAgreement(model, files, sides)));
      for (const each of work) {
        const cell = await measureCell(model, each, count, sides, rounds);
        rows.push(...cell);
        log(`infer: ${model}: ${each.batch} x ${each.tokens} tokens, threads ${count}: ${describe(cell)}`);
      }
    } finally {
      await Promise.all(sides.map((side) => side.close()));
    }
  }
  return { agreement, rows };
}

/** Ours at several densities, each against the dense int8 runtime in the same rounds. */
export async function measureDensities(
  models: readonly { readonly density: number; readonly files: InferFiles }[],
  { rounds, tokens }: { readonly rounds: number; readonly tokens: number },
): Promise<DensitySweep> {
  const rows: DensitySweep['rows'][number][] = [];
  for (const { density, files } of models) {
    const specs = sidesOf(files, 1);
    const chosen = new Map([OURS, NATIVE_INT8].map((name) => [name, specs.get(name)!]));
    const sides = await forkAll(chosen);
    try {
      const measured = await measureCell('', { batch: 1, tokens }, 1, sides, rounds);
      const seconds = (side: string) => measured.find((row) => row.side === side)!.seconds.median;
      rows.push({ density, seconds: seconds(OURS), peerSeconds: seconds(NATIVE_INT8) });
    } finally {
      await Promise.all(sides.map((side) => side.close()));
    }
  }
  return { tokens, threads: 1, peer: NATIVE_INT8, rows, crossover: crossoverOf(rows) };
}

async function measureCell(
  model: string,
  work: Work,
  threads: number,
  sides: readonly ForkedSide[],
  rounds: number,
): Promise<InferRow[]> {
  const { batch, tokens } = work;
  const able = sides.filter(({ name }) => !name.startsWith('onnxruntime-web') || batch * tokens <= MOST_WEB_TOKENS);
  const runs = await interleave(
    able.map((side) => ({ name: side.name, run: () => side.time(work, RUNS) })),
    { rounds, budget: CELL_SECONDS },
  );
  const medians = (side: string) => runs.get(side)!.map((seconds) => summarize(seconds).median);
  const ours = able.filter(({ name }) => name.startsWith('prune')).map(({ name }) => name);
  return able.map(({ name }): InferRow => {
    const seconds = latency(runs.get(name)!.flat());
    const row = { model, tokens, batch, threads, side: name, seconds, throughput: (batch * tokens) / seconds.median };
    if (name.startsWith('prune')) return row;
    const oursTimesFaster = Object.fromEntries(
      ours.map((our) => [our, summarize(ratios(medians(name), medians(our)))]),
    );
    return { ...row, oursTimesFaster };
  });
}

function latency(samples: readonly number[]): Latency {
  const sorted = [...samples].sort((a, b) => a - b);
  return { ...summarize(samples), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) };
}

/** Holds every side against another that computes the same: throws `mismatch` when one is off by more than rounding explains. */
async function proveAgreement(model: string, files: InferFiles, sides: readonly ForkedSide[]): Promise<Agreement[]> {
  const work = { batch: 2, tokens: 32 };
  const logits = new Map<string, readonly number[]>();
  for (const side of sides) logits.set(side.name, await side.logits(work));
  const found: Agreement[] = [];
  const hold = (side: string, against: string, tolerance: number) => {
    const [a, b] = [logits.get(side), logits.get(against)];
    if (a === undefined || b === undefined) return;
    const largestLogit = Math.max(...b.map(Math.abs));
    const largestDifference = Math.max(...a.map((value, i) => Math.abs(value - b[i])));
    found.push({ model, side, against, largestDifference, largestLogit });
    if (!(largestDifference <= tolerance * largestLogit)) {
      throw new PruneError('mismatch', {
        where: `infer: ${model}: ${side} against ${against}`,
        what: 'they do not compute the same model',
        got: largestDifference,
        wanted: `at most ${tolerance} of ${largestLogit}`,
      });
    }
  };
  // Ours in any form: the same bits.
  hold(PLAIN_SIMD, OURS, 0);
  hold(WIDE, OURS, 0);
  hold(WIDE_INT16, OURS_INT16, 0);
  if (files.peers !== undefined) {
    const eightBits = {
      runtime: 'prune',
      file: files.packed,
      threads: 1,
      kernels: 'auto',
      attention: 'float32',
      profile: 'fbgemm-1.5',
    } as const;
    const side = await forkSide('prune, 8-bit activations', eightBits);
    try {
      logits.set(side.name, await side.logits(work));
    } finally {
      await side.close();
    }
    hold('prune, 8-bit activations', NATIVE_INT8, AGREEMENT);
    hold('onnxruntime-web, int8', NATIVE_INT8, AGREEMENT);
    hold('onnxruntime-web, fp32', 'onnxruntime-node, fp32', 1e-3);
    hold(NATIVE_INT8, 'onnxruntime-node, fp32', 2 * AGREEMENT);
  }
  return found;
}

async function forkAll(specs: ReadonlyMap<string, SideSpec>): Promise<ForkedSide[]> {
  const sides: ForkedSide[] = [];
  try {
    for (const [name, spec] of specs) sides.push(await forkSide(name, spec));
  } catch (error) {
    await Promise.all(sides.map((side) => side.close()));
    throw error;
  }
  return sides;
}

async function hasRelaxedKernels(): Promise<boolean> {
  const engine = await createEngine({ kernels: 'auto' });
  await engine.close();
  return engine.kernels === 'wasm-relaxed';
}

function describe(rows: readonly InferRow[]): string {
  return rows.map(({ side, seconds }) => `${side} ${(1000 * seconds.median).toFixed(1)} ms`).join('; ');
}
