import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { BenchOptions } from './bench-options.js';
import { describeMachine, describeRevision } from './harness/machine.js';
import { findPython, type Python } from './harness/python.js';
import { runNotebook } from './harness/run-notebook.js';
import { type BenchModel, embeddedModel, folderModel, seededBase } from './model/bench-model.js';
import { elementaryOf } from './model/elementary-of.js';
import { plainFolder } from './model/plain-folder.js';
import { ensurePeers, PEERS, type Peers } from './peers/ensure-peers.js';
import { findPythonPeer, PYTHON_PEERS, type PythonPeer } from './peers/find-python-peer.js';
import { REPORT_SCHEMA, type Report } from './report/report.js';
import { type Accuracy, measureAccuracy } from './sections/accuracy/measure-accuracy.js';
import { findNncodec } from './sections/codec/find-nncodec.js';
import { type CodecReport, measureCodec } from './sections/codec/measure-codec.js';
import { type InferPeers, inferFiles } from './sections/infer/infer-files.js';
import type { InferReport } from './sections/infer/infer-report.js';
import { measureFirst } from './sections/infer/measure-first.js';
import { measureInference } from './sections/infer/measure-inference.js';
import { measureRoofline } from './sections/infer/measure-roofline.js';
import { packedModel } from './sections/infer/packed-model.js';
import { OURS } from './sections/infer/side-names.js';
import { sidesOf } from './sections/infer/sides.js';
import { measureLoad } from './sections/load/measure-load.js';
import { measurePack } from './sections/pack/measure-pack.js';
import type { SectionName } from './sections/section-names.js';
import { NOTEBOOK, packedFile } from './sections/sides/pack-sides.js';
import type { Scope } from './sections/sides/scope.js';
import { measureSizes } from './sections/sizes/measure-sizes.js';
import { measureSpeed } from './sections/speed/measure-speed.js';
import type { SpeedReport } from './sections/speed/speed-report.js';
import { measureWeb } from './sections/web/measure-web.js';
import type { WebReport } from './sections/web/web-report.js';

/** Densities of the seeded models whose sizes are taken. */
const DENSITIES = { full: [0.03, 0.06, 0.1, 0.2, 0.5], quick: [0.06] };
/** The density that everything else is measured at: the notebook's. */
const DENSITY = 0.06;
const QUICK_QUESTIONS = 50;
const ROUNDS = { full: 7, quick: 3 };

/** A visit with the peer takes half a minute. */
const WEB_ROUNDS = { full: 5, quick: 1 };

const INFER_ROUNDS = { full: 15, quick: 5 };
const INFER_WORK = {
  full: [16, 64, 128, 256, 384].flatMap((tokens) => [
    { batch: 1, tokens },
    { batch: 8, tokens },
  ]),
  quick: [{ batch: 1, tokens: 128 }],
};
/** Densities at which ours is held against the dense runtime. */
const SWEEP = { full: [0.06, 0.2, 0.35, 0.5, 0.65], quick: [0.06, 0.35, 0.5] };
const SPEED_ROUNDS = { full: 15, quick: 5 };
/** Numbers of threads, as far as the machine has cores. */
const THREADS = availableParallelism() > 1 ? [1, 2] : [1];
const NOTEBOOK_STEPS = "the notebook's steps in Python";

type Log = (line: string) => void;

/**
 * Measures the sections that are asked for, one after another. One that fails (a file that is not equal, runtimes that do not agree, a full disk) is left out, is named
 * in `skipped` and in `failed`, and does not take the others with it.
 */
export async function measureReport(
  options: BenchOptions,
  args: readonly string[],
  log: Log,
): Promise<{ readonly report: Report; readonly failed: readonly SectionName[] }> {
  const bench = new Bench(options, log);
  const revision = describeRevision();
  const failed: SectionName[] = [];
  const section = async <T>(name: SectionName, measure: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await measure();
    } catch (error) {
      log(`${name}: failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      bench.skipped.push({ what: name, why: `failed: ${error instanceof Error ? error.message : error}` });
      failed.push(name);
      return undefined;
    }
  };
  const wants = (name: SectionName) => options.only.includes(name);
  const sizes = wants('sizes') ? await section('sizes', () => bench.sizes()) : undefined;
  const codec = wants('codec') ? await section('codec', () => bench.codecs()) : undefined;
  const [packs, loads] = [wants('pack'), wants('load')];
  const packed = packs || loads ? await section(packs ? 'pack' : 'load', () => bench.packAndLoad(packs, loads)) : {};
  const infer = wants('infer') ? await section('infer', () => bench.infer()) : undefined;
  const speed = wants('speed') ? await section('speed', () => bench.speed()) : undefined;
  const web = wants('web') ? await section('web', () => bench.web()) : undefined;
  const accuracy = wants('accuracy') ? await section('accuracy', () => bench.accuracy()) : undefined;
  const report: Report = {
    schema: REPORT_SCHEMA,
    created: new Date().toISOString(),
    options: args,
    quick: options.quick,
    machine: describeMachine(),
    revision,
    versions: bench.versions,
    models: [...bench.models.values()].map(({ name, origin, sha256 }) => ({ name, origin, sha256 })),
    skipped: bench.skipped,
    ...(sizes && { sizes }),
    ...(codec && { codec }),
    ...packed,
    ...(infer && { infer }),
    ...(speed && { speed }),
    ...(web && { web }),
    ...(accuracy && { accuracy }),
  };
  return { report, failed };
}

/** What the sections of one report share. */
class Bench {
  readonly models = new Map<string, BenchModel>();
  readonly versions: Record<string, string> = {};
  readonly skipped: { what: string; why: string }[] = [];
  readonly #options: BenchOptions;
  readonly #log: Log;
  readonly #size: 'full' | 'quick';
  #foundPython: ReturnType<typeof findPython> | undefined;

  constructor(options: BenchOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#size = options.quick ? 'quick' : 'full';
  }

  async sizes(): Promise<NonNullable<Report['sizes']>> {
    const jobs: [BenchModel, Scope][] = [];
    for (const model of [await this.#embedded(), ...(await this.#folders())])
      jobs.push([model, 'encoder'], [model, 'whole']);
    for (const density of DENSITIES[this.#size]) jobs.push([await this.#seeded(density), 'encoder']);
    if (this.#size === 'full') jobs.push([await this.#seeded(DENSITY), 'whole']);
    const measured: Awaited<ReturnType<typeof measureSizes>>[] = [];
    const python = await this.#python();
    for (const [model, scope] of jobs) {
      const notebookFile = python && (await this.#notebookFile(python, model, scope));
      measured.push(await measureSizes(model.name, model.folder, { scope, notebookFile, log: this.#log }));
    }
    return { rows: measured.flatMap(({ rows }) => rows), bounds: measured.map(({ bounds }) => bounds) };
  }

  /** What is read back is what was packed, and proven equal, in this run. */
  async packAndLoad(wantsPack: boolean, wantsLoad: boolean): Promise<Pick<Report, 'pack' | 'load'>> {
    const rounds = this.#options.rounds ?? ROUNDS[this.#size];
    const common = { python: await this.#python(), log: this.#log };
    const jobs: [BenchModel, Scope][] = [[await this.#seeded(DENSITY), 'encoder']];
    if (this.#size === 'full') jobs.push([await this.#seeded(DENSITY), 'whole'], [await this.#embedded(), 'whole']);
    for (const model of await this.#folders()) jobs.push([model, 'whole']);
    const pack: NonNullable<Report['pack']>[number][] = [];
    const load: NonNullable<Report['load']>[number][] = [];
    for (const [model, scope] of jobs) {
      const { name } = model;
      const folder = await plainFolder(model);
      const { rows, versions } = await measurePack(name, folder, { ...common, scope, rounds: wantsPack ? rounds : 1 });
      Object.assign(this.versions, versions);
      pack.push(...rows);
      if (wantsLoad) load.push(...(await measureLoad(name, { ...common, scope, rounds })));
    }
    return { ...(wantsPack && { pack }), ...(wantsLoad && { load }) };
  }

  async codecs(): Promise<CodecReport[]> {
    const rounds = this.#options.rounds ?? ROUNDS[this.#size];
    const models = [await this.#embedded(), ...(await this.#folders()), await this.#seeded(DENSITY)];
    const nncodec = await this.#nncodec();
    const reports: CodecReport[] = [];
    for (const { name, folder } of models) {
      const { elementary } = await elementaryOf(folder, 'encoder');
      reports.push(await measureCodec(name, elementary, { rounds, nncodec, log: this.#log }));
    }
    const version = reports[0]?.nncodec?.version;
    if (version !== undefined) this.versions.nncodec = version;
    return reports;
  }

  async infer(): Promise<InferReport> {
    const rounds = this.#options.rounds ?? INFER_ROUNDS[this.#size];
    const peers = await this.#inferPeers();
    const [base, embedded] = [await this.#seeded(DENSITY), await this.#embedded()];
    const agreement: InferReport['agreement'][number][] = [];
    const rows: InferReport['rows'][number][] = [];
    const first: InferReport['first'][number][] = [];
    const roofline: InferReport['roofline'][number][] = [];
    let kernels: InferReport['kernels'] = {};
    for (const model of [base, embedded, ...(await this.#folders())]) {
      const files = await inferFiles(model, peers);
      const measured = await measureInference(model.name, files, {
        rounds,
        threads: THREADS,
        work: INFER_WORK[this.#size],
        onMissing: this.#onMissing,
        log: this.#log,
      });
      Object.assign(this.versions, measured.versions);
      kernels = { ...kernels, ...measured.kernels };
      agreement.push(...measured.agreement);
      rows.push(...measured.rows);
      roofline.push(...(await measureRoofline(files.packed, measured.rows, measured.kernels[OURS])));
      first.push(...(await measureFirst(model.name, sidesOf(files, 1), Math.min(rounds, 5))));
    }
    return { agreement, rows, first, roofline, kernels };
  }

  async speed(): Promise<SpeedReport> {
    const peers = await this.#inferPeers();
    const filesOf = async (model: BenchModel) => ({
      name: model.name,
      files: await inferFiles(model, peers, ['int8']),
    });
    const models = {
      base: await filesOf(await this.#seeded(DENSITY)),
      small: await filesOf(await this.#embedded()),
      densities: [] as { density: number; packed: string }[],
    };
    for (const density of SWEEP[this.#size]) {
      this.#log(`speed: packing at ${100 * density} %`);
      const packed = density === DENSITY ? models.base.files.packed : await packedModel(await this.#seeded(density));
      models.densities.push({ density, packed });
    }
    const { report, versions } = await measureSpeed(models, {
      rounds: this.#options.rounds ?? SPEED_ROUNDS[this.#size],
      threads: THREADS,
      work: INFER_WORK.full,
      onMissing: this.#onMissing,
      log: this.#log,
    });
    Object.assign(this.versions, versions);
    return report;
  }

  async web(): Promise<WebReport> {
    const rounds = this.#options.rounds ?? WEB_ROUNDS[this.#size];
    const peers = await this.#peers();
    const { report, versions, missing } = await measureWeb(await this.#embedded(), { rounds, peers, log: this.#log });
    Object.assign(this.versions, versions);
    for (const name of missing)
      this.skipped.push({
        what: `web: ${name}`,
        why: 'it is not installed (PRUNE_CHROMIUM, PRUNE_FIREFOX name others)',
      });
    return report;
  }

  async accuracy(): Promise<Accuracy> {
    const { name, folder } = await this.#embedded();
    const questions = this.#size === 'quick' ? QUICK_QUESTIONS : undefined;
    return measureAccuracy(name, folder, { questions, log: this.#log });
  }

  async #notebookFile(python: Python, model: BenchModel, scope: Scope): Promise<string> {
    this.#log(`sizes: ${model.name}, ${scope}: the notebook's steps in Python`);
    const notebook = packedFile(model.name, scope, NOTEBOOK);
    await mkdir(dirname(notebook), { recursive: true });
    const { versions } = await runNotebook(python, 'notebook_save.py', [
      await plainFolder(model),
      dirname(notebook),
      scope,
    ]);
    Object.assign(this.versions, versions);
    return notebook;
  }

  #use(model: BenchModel): BenchModel {
    this.models.set(model.name, model);
    return model;
  }

  async #embedded(): Promise<BenchModel> {
    return this.#use(await embeddedModel());
  }

  async #seeded(density: number): Promise<BenchModel> {
    return this.#use(await seededBase(density, this.#log));
  }

  async #folders(): Promise<BenchModel[]> {
    const models = await Promise.all(this.#options.model.map(folderModel));
    return models.map((model) => this.#use(model));
  }

  async #peers(): Promise<Peers | undefined> {
    try {
      const peers = await ensurePeers(this.#log);
      Object.assign(this.versions, PEERS);
      return peers;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log(`the peers are left out: ${why}`);
      this.skipped.push({ what: 'ONNX Runtime and transformers.js', why });
      return undefined;
    }
  }

  /** ONNX Runtime, and what Python has. A peer that is not there is one line of the report. */
  async #inferPeers(): Promise<InferPeers> {
    const python: { [P in PythonPeer]?: Python } = {};
    for (const peer of Object.keys(PYTHON_PEERS) as PythonPeer[]) {
      const found = await findPythonPeer(peer);
      if ('command' in found) python[peer] = found;
      else this.#onMissing(peer, `${found.missing} (PRUNE_PYTHON names another)`);
    }
    return { node: await this.#peers(), python };
  }

  readonly #onMissing = (what: string, why: string): void => {
    if (this.skipped.some((one) => one.what === what)) return;
    this.#log(`${what} is left out: ${why}`);
    this.skipped.push({ what, why });
  };

  async #nncodec(): Promise<Python | undefined> {
    const found = await findNncodec();
    if ('command' in found) return found;
    this.#log(`NNCodec is left out: ${found.missing}`);
    this.skipped.push({ what: 'NNCodec', why: `${found.missing} (PRUNE_NNCODEC_PYTHON names another)` });
    return undefined;
  }

  async #python(): Promise<Python | undefined> {
    this.#foundPython ??= findPython();
    const found = await this.#foundPython;
    if ('command' in found) return found;
    if (this.skipped.some(({ what }) => what === NOTEBOOK_STEPS)) return undefined;
    this.#log(`the notebook's steps in Python are left out: ${found.missing}`);
    this.skipped.push({ what: NOTEBOOK_STEPS, why: `${found.missing} (PRUNE_PYTHON names another)` });
    return undefined;
  }
}
