import { type Block, plot, type Section, table, text } from '../../document/document.js';
import { formatBytes, formatPercent, formatSeconds, formatSummary, formatTimes } from '../../document/format.js';
import type { InferReport, InferRow } from './infer-report.js';
import { OURS, OURS_INT16, WIDE, WIDE_INT16 } from './sides.js';

const INSTRUCTIONS = {
  'wasm-simd': 'plain SIMD',
  'wasm-relaxed': 'relaxed, dot product of 2',
  'wasm-dot4': 'relaxed, dot product of 4 (VNNI)',
} as const;

/** Latency, throughput, start-up and memory of inference, ours and the peers'. */
export function describeInfer({ agreement, rows, first, roofline, density }: InferReport): Section {
  return {
    id: 'infer',
    title: 'Inference',
    blocks: [
      text(
        'The whole model with its question answering head on full-length sequences. Ours computes on the sparse int8 weights of the packed file (embedding tables as int8 rows); the peers on dense weights, the same codes ' +
          'and scales (int8) or those dequantized (fp32), in graphs of their own fused operators. Every side is a process of its own, stopped while the others run; a round is three passes after one that is not counted. ' +
          "Wide: with V8's experimental pass for vectors of 256 bits, which `wideKernels` turns on in that process; the same bits.",
      ),
      plot('infer', 'Milliseconds by length'),
      ...distinct(rows.map(({ model, threads, batch }) => JSON.stringify([model, threads, batch]))).map((key) => {
        const [model, threads, batch] = JSON.parse(key);
        return latencies(rows.filter((row) => row.model === model && row.threads === threads && row.batch === batch));
      }),
      table(
        'From the file to the first answer (128 tokens, one thread; start of the process not counted)',
        ['model|', 'side|', 'seconds, median (quartiles)', 'peak memory'],
        first.map(({ model, side, seconds, peakBytes }) => [
          model,
          side,
          formatSummary(seconds, formatSeconds),
          formatBytes(peakBytes.median),
        ]),
      ),
      ...(density
        ? [
            plot('sweep', 'Milliseconds by density'),
            table(
              `Density, ${density.tokens} tokens, one thread; ${density.crossover === null ? 'no crossover in this range' : `as fast as dense int8 at ${formatPercent(density.crossover)}`}`,
              ['density', 'ours', density.peer, 'times faster'],
              density.rows.map((row) => [
                formatPercent(row.density),
                formatSeconds(row.seconds),
                formatSeconds(row.peerSeconds),
                formatTimes(row.peerSeconds / row.seconds),
              ]),
            ),
          ]
        : []),
      table(
        'Roofline, one thread: multiply-adds on nonzeros over the whole pass, against what the instructions of its kernels reach in registers on this machine',
        [
          'model|',
          'side|',
          'instructions|',
          'tokens',
          'thousand million/s',
          'measured peak',
          'of the peak',
          'as dense',
        ],
        roofline.map((row) => [
          row.model,
          row.side,
          row.kernel === undefined ? '-' : INSTRUCTIONS[row.kernel],
          String(row.tokens),
          (row.multiplyAddsPerSecond / 1e9).toFixed(1),
          (row.peakPerSecond / 1e9).toFixed(1),
          formatPercent(row.multiplyAddsPerSecond / row.peakPerSecond),
          (row.denseEquivalentPerSecond / 1e9).toFixed(0),
        ]),
      ),
      table(
        'Agreement before timing: the largest difference of any logit (2 x 32 tokens)',
        ['model|', 'side|', 'against|', 'largest difference', 'largest logit'],
        agreement.map((row) => [
          row.model,
          row.side,
          row.against,
          row.largestDifference.toPrecision(3),
          row.largestLogit.toPrecision(3),
        ]),
      ),
    ],
  };
}

function latencies(rows: readonly InferRow[]): Block {
  const [{ model, threads, batch }] = rows;
  const ours = [OURS, OURS_INT16, WIDE, WIDE_INT16].filter((name) => rows.some(({ side }) => side === name));
  return table(
    `${model}, batch ${batch}, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
    [
      'tokens',
      'side|',
      'median (quartiles)',
      'p95',
      'p99',
      'tokens/s',
      ...ours.map((name) => `times faster: ${name.replace('prune, ', '')}`),
    ],
    rows.map(({ tokens, side, seconds, throughput, oursTimesFaster }) => {
      const faster = (our: string) => (oursTimesFaster?.[our] ? formatSummary(oursTimesFaster[our], formatTimes) : '-');
      return [
        String(tokens),
        side,
        formatSummary(seconds, formatSeconds),
        formatSeconds(seconds.p95),
        formatSeconds(seconds.p99),
        throughput.toFixed(0),
        ...ours.map(faster),
      ];
    }),
  );
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
