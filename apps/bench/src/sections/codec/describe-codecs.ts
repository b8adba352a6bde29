import { type Block, plot, type Section, table, text } from '../../document/document.js';
import { formatBytes, formatCount, formatSummary, formatTimes } from '../../document/format.js';
import type { CodecReport } from './measure-codec.js';

/** The entropy codec beside general compressors, on the CSR matrices of each model. */
export function describeCodecs(reports: readonly CodecReport[]): Section {
  return {
    id: 'codec',
    title: 'Codecs on the CSR matrices',
    blocks: [
      text(
        'The integers of all sparse matrices, encoder and head: each coder gives every matrix back before it is timed. One thread. The general compressors code the three arrays ' +
          "of each matrix apart. DeepCABAC's binarization is the size that its contexts give with an ideal arithmetic coder, not a file; NNCodec, which has it, is measured " +
          "where a Python has it: a process of its own, its thread's own time, decoding to dense matrices.",
      ),
      plot('codec', 'Size and speed'),
      ...reports.flatMap(tables),
    ],
  };
}

function tables({
  model,
  nonzeros,
  bounds,
  parts,
  rows,
  cabacStyle,
  nncodec,
  twoThreads,
  dense,
}: CodecReport): Block[] {
  const bits = (bytes: number) => ((8 * bytes) / nonzeros).toFixed(3);
  const speed = (million: number) => million.toFixed(1);
  const bound = (name: string, bytes: number) => [name, formatBytes(bytes), bits(bytes), '-', '-', '-'];
  return [
    table(
      `${model}: ${formatCount(nonzeros)} nonzeros`,
      ['coder|', 'bytes', 'bits a nonzero', 'encode, million nonzeros/s', 'decode, million nonzeros/s', 'decode time'],
      [
        ...rows.map((row) => [
          row.form,
          formatBytes(row.bytes),
          bits(row.bytes),
          speed(row.encode),
          formatSummary(row.decode, speed),
          formatTimes(row.decodeTime),
        ]),
        ...(nncodec?.rows ?? []).map((row) => [
          `NNCodec ${nncodec!.version}, ${row.setting}`,
          formatBytes(row.bytes),
          bits(row.bytes),
          speed(row.encode),
          formatSummary(row.decode, speed),
          '-',
        ]),
        bound("DeepCABAC's binarization", cabacStyle),
        bound('bound: mask with rows and columns known, values order 0', bounds.rowsAndColumns + bounds.values),
        bound('mask alone, independent bits', bounds.independent),
        bound('mask alone, row gaps', bounds.rowGaps),
      ],
    ),
    ...(twoThreads === undefined
      ? []
      : [
          text(
            `${model}: two threads, each half of the blocks of every matrix: decoding entropy, fast, the busier one computes ${formatSummary(twoThreads, formatTimes)} less than one alone.`,
          ),
        ]),
    table(
      `${model}: where the bytes of entropy go (dense tensors: ${formatBytes(dense.raw)} raw, ${formatBytes(dense.coded)} coded)`,
      ['preset|', 'mask', 'values', 'densities and tables', 'structure'],
      Object.entries(parts).map(([preset, { mask, values, model, structure }]) => [
        preset,
        ...[mask, values, model, structure].map(formatBytes),
      ]),
    ),
  ];
}
