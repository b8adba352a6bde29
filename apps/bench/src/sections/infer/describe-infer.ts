import { plot, type Section, table, text } from '../../document/document.js';
import { formatPercent } from '../../document/format.js';
import { agreementTable } from './agreement-table.js';
import { firstTable } from './first-table.js';
import type { InferReport } from './infer-report.js';
import { kernelsText } from './kernels-text.js';
import { latencyTable } from './latency-table.js';

const INSTRUCTIONS = {
  'wasm-simd': 'plain SIMD',
  'wasm-relaxed': 'relaxed, dot product of 2',
  'wasm-dot4': 'relaxed, dot product of 4 (VNNI)',
} as const;

/** Latency, throughput, start-up and memory of inference, ours and the peers'. */
export function describeInfer({ agreement, rows, first, roofline, kernels }: InferReport): Section {
  return {
    id: 'infer',
    title: 'Inference',
    blocks: [
      text(
        'The whole model with its question answering head on full-length sequences. Ours computes on the sparse int8 weights of the packed file (embedding tables as int8 rows); the peers on dense weights, the same codes ' +
          'and scales (int8) or those dequantized (fp32): ONNX Runtime in graphs of its own fused operators, OpenVINO in one of standard operators, PyTorch by `quantize_dynamic`. Every side is a process of its own, stopped while the ' +
          'others run; a round is three passes (one where a batch has 384 tokens or more) after one that is not counted.',
      ),
      text(
        'Sides of ours without a name of kernels use those that are chosen by default: native ones where they are built, otherwise those of WebAssembly. All kernels give the same bits. ' +
          "wasm-wide: with V8's experimental pass for vectors of 256 bits, which `wideKernels` turns on in that process.",
      ),
      ...kernelsText(kernels),
      plot('infer', 'Milliseconds by length'),
      ...distinct(rows.map(({ model, threads, batch }) => JSON.stringify([model, threads, batch]))).map((key) => {
        const [model, threads, batch] = JSON.parse(key);
        return latencyTable(
          rows.filter((row) => row.model === model && row.threads === threads && row.batch === batch),
        );
      }),
      firstTable(first),
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
          row.peakPerSecond === undefined ? '-' : (row.peakPerSecond / 1e9).toFixed(1),
          row.peakPerSecond === undefined ? '-' : formatPercent(row.multiplyAddsPerSecond / row.peakPerSecond),
          (row.denseEquivalentPerSecond / 1e9).toFixed(0),
        ]),
      ),
      agreementTable(agreement),
    ],
  };
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
