import {
  CSR_ARRAYS,
  type CsrMatrix,
  DEFAULT_LIMITS,
  type ElementaryStateDict,
  type EncodedPiece,
  entriesOf,
  intReprArrayOf,
  type NamedTensor,
  tensorBytes,
} from '@prune/core';
import { maskBounds, recomposeSparse, valueEntropy } from '@prune/csr';
import { entropyCodec, openCsr } from '@prune/sparse-codec';
import { interleave, ratios } from '../../harness/interleave.js';
import type { Python } from '../../harness/python.js';
import { type Summary, summarize } from '../../harness/summary.js';
import { cabacStyleBytes } from './cabac-style.js';
import { type CsrForm, csrForms } from './csr-form.js';
import { measureNncodec, type NncodecReport } from './measure-nncodec.js';
import { measureThreads } from './measure-threads.js';
import { threadSeconds } from './thread-seconds.js';

/** What one coder makes of all matrices of a model. */
export interface CodecRow {
  readonly form: string;
  readonly bytes: number;
  readonly bitsPerNonzero: number;
  /** Million nonzeros a second of one thread's own time. */
  readonly encode: number;
  readonly decode: Summary;
  /** Its time to decode over that of `entropy, fast` in the same round: median. */
  readonly decodeTime: number;
}

/** The matrices of a model under several coders, and the bounds of the same integers. Bytes. */
export interface CodecReport {
  readonly model: string;
  readonly matrices: number;
  readonly nonzeros: number;
  readonly bounds: {
    readonly independent: number;
    readonly rowGaps: number;
    readonly rowsAndColumns: number;
    readonly values: number;
  };
  /** Where the bytes of `entropy` go, by preset. */
  readonly parts: Readonly<Record<string, { mask: number; values: number; model: number; structure: number }>>;
  readonly rows: readonly CodecRow[];
  /** The binarization of DeepCABAC / NNCodec, size only. */
  readonly cabacStyle: number;
  /** NNCodec itself, where there is a Python that has it. */
  readonly nncodec?: NncodecReport;
  /** How many times less the busier of two threads computes than one alone, to decode `entropy, fast`. */
  readonly twoThreads?: Summary;
  /** Float tensors and embedding tables: as they are, and under `entropy`. */
  readonly dense: { readonly raw: number; readonly coded: number };
}

/** NNCodec decodes dense elements, which takes twenty times as long. */
const NNCODEC_ROUNDS = 3;

export interface MeasureCodecOptions {
  readonly rounds: number;
  /** A Python that has NNCodec, to measure it as well. */
  readonly nncodec?: Python;
  readonly log?: (line: string) => void;
}

/** Codes every matrix of a model with every coder, proves that each gives it back, then times decoding in interleaved rounds. */
export async function measureCodec(
  model: string,
  elementary: ElementaryStateDict,
  { rounds, nncodec: python, log = () => {} }: MeasureCodecOptions,
): Promise<CodecReport> {
  const matrices: CsrMatrix[] = [];
  for await (const [, value] of entriesOf(recomposeSparse(elementary))) {
    if ('kind' in value && value.kind === 'linear') matrices.push(value.weight);
  }
  const nonzeros = matrices.reduce((sum, { data }) => sum + data.length, 0);
  const bounds = { independent: 0, rowGaps: 0, rowsAndColumns: 0, values: 0 };
  let cabacStyle = 0;
  for (const matrix of matrices) {
    const mask = maskBounds(matrix);
    bounds.independent += mask.independent / 8;
    bounds.rowGaps += mask.rowGaps / 8;
    bounds.rowsAndColumns += mask.rowsAndColumns / 8;
    bounds.values += valueEntropy(matrix.data) / 8;
    cabacStyle += cabacStyleBytes(matrix);
  }

  const coded = csrForms().map((form) => {
    log(`codec: ${model}: ${form.form}`);
    return encodeAll(form, matrices);
  });
  const seconds = await interleave(
    coded.map(({ form, parts }) => ({
      name: form.form,
      run: async () => {
        const start = threadSeconds();
        parts.forEach((of, i) => {
          form.decode(of, matrices[i].shape);
        });
        return threadSeconds() - start;
      },
    })),
    { rounds, warmup: 2 },
  );
  const reference = seconds.get(coded[0].form.form)!;
  const rows = coded.map(({ form, bytes, encodeSeconds }): CodecRow => {
    const times = seconds.get(form.form)!;
    return {
      form: form.form,
      bytes,
      bitsPerNonzero: (8 * bytes) / nonzeros,
      encode: nonzeros / encodeSeconds / 1e6,
      decode: summarize(times.map((time) => nonzeros / time / 1e6)),
      decodeTime: summarize(ratios(times, reference)).median,
    };
  });
  const parts: Record<string, ReturnType<typeof partsOf>> = {};
  for (const { form, parts: streams } of coded.slice(0, 2)) parts[form.form] = partsOf(streams.map(([bytes]) => bytes));
  log(`codec: ${model}: two threads`);
  const twoThreads = await measureThreads(
    coded[0].parts.map(([bytes]) => bytes),
    rounds,
  );
  const dense = await codeDense(elementary);
  if (python !== undefined) log(`codec: ${model}: NNCodec`);
  const nncodec = python && (await measureNncodec(python, matrices, Math.min(rounds, NNCODEC_ROUNDS)));
  return {
    model,
    matrices: matrices.length,
    nonzeros,
    bounds,
    parts,
    rows,
    cabacStyle,
    ...(nncodec && { nncodec }),
    twoThreads,
    dense,
  };
}

function encodeAll(form: CsrForm, matrices: readonly CsrMatrix[]) {
  let encodeSeconds = Number.POSITIVE_INFINITY;
  let parts: (readonly Uint8Array[])[] = [];
  for (let i = 0; i < form.encodings; i++) {
    const start = threadSeconds();
    parts = matrices.map((matrix) => form.encode(matrix));
    encodeSeconds = Math.min(encodeSeconds, threadSeconds() - start);
  }
  matrices.forEach((matrix, i) => {
    const back = form.decode(parts[i], matrix.shape);
    for (const array of CSR_ARRAYS) {
      if (!same(back[array], matrix[array])) throw new Error(`${form.form} does not give ${array} of matrix ${i} back`);
    }
  });
  const bytes = parts.flat().reduce((sum, part) => sum + part.byteLength, 0);
  return { form, parts, bytes, encodeSeconds };
}

function same(one: ArrayLike<number>, two: ArrayLike<number>): boolean {
  if (one.length !== two.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== two[i]) return false;
  return true;
}

function partsOf(streams: readonly Uint8Array[]) {
  const parts = { mask: 0, values: 0, model: 0, structure: 0 };
  for (const bytes of streams) {
    const { blocks, modelBytes } = openCsr(bytes);
    const mask = blocks.reduce((sum, block) => sum + block.maskBytes, 0);
    const values = blocks.reduce((sum, block) => sum + block.valueBytes, 0);
    parts.mask += mask;
    parts.values += values;
    parts.model += modelBytes;
    parts.structure += bytes.length - mask - values - modelBytes;
  }
  return parts;
}

/** Every group that `entropy` takes and that is no matrix, coded, decoded and compared. */
async function codeDense(elementary: ElementaryStateDict): Promise<CodecReport['dense']> {
  const codec = entropyCodec();
  const groups = new Map<string, NamedTensor[]>();
  for await (const [name, value] of entriesOf(elementary)) {
    if (typeof value === 'string' || intReprArrayOf(name) !== undefined) continue;
    const key = codec.group?.({ name, dtype: value.dtype, shape: value.shape })?.key;
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), { name, ...value }]);
  }
  let raw = 0;
  let coded = 0;
  for (const [key, tensors] of groups) {
    const own = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
    const block = await codec.encode(tensors);
    raw += own;
    if (block === undefined) {
      coded += own;
      continue;
    }
    const bytes = Buffer.concat([...(block as Iterable<EncodedPiece>)].map((piece) => piece.bytes));
    coded += bytes.length;
    const back = await codec.decode(bytes, tensors, DEFAULT_LIMITS);
    tensors.forEach((tensor, i) => {
      if (!same(tensorBytes(tensor), tensorBytes(back[i]))) throw new Error(`entropy does not give ${key} back`);
    });
  }
  return { raw, coded };
}
