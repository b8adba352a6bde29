import { PruneError } from '@prune/core';
import { type ForkedSide, forkSide } from './fork-side.js';
import type { Agreement } from './infer-report.js';
import { ONNXRUNTIME_INT8, OPENVINO, OURS, OURS_INT16, PYTORCH } from './side-names.js';
import type { InferFiles } from './sides.js';

/**
 * The same int8 codes may differ by what is quantized between the Linears: onnxruntime takes 8 bits where our default
 * takes 7, so the check runs ours in the profile with 8, and allows what steps of activations add up to over layers.
 * A wrong graph is off by the logits' own size.
 */
const AGREEMENT = 0.15;

const EIGHT_BITS = 'prune, 8-bit activations';

/**
 * Holds every side against another that computes the same. Throws `mismatch` when one is off by more than rounding
 * explains, or other kernels of ours by one bit.
 */
export async function proveAgreement(
  model: string,
  files: InferFiles,
  sides: readonly ForkedSide[],
): Promise<Agreement[]> {
  const work = { batch: 2, tokens: 32 };
  const logits = new Map<string, readonly number[]>();
  for (const side of sides) logits.set(side.name, await side.logits(work));
  if (logits.has(ONNXRUNTIME_INT8)) {
    const side = await forkSide(EIGHT_BITS, {
      runtime: 'prune',
      file: files.packed,
      threads: 1,
      kernels: 'auto',
      attention: 'float32',
      profile: 'fbgemm-1.5',
    });
    try {
      logits.set(EIGHT_BITS, await side.logits(work));
    } finally {
      await side.close();
    }
  }
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
  for (const ours of [OURS, OURS_INT16]) {
    for (const { name } of sides) if (name.startsWith(`${ours}, `)) hold(name, ours, 0);
  }
  hold(EIGHT_BITS, ONNXRUNTIME_INT8, AGREEMENT);
  hold('onnxruntime-web, int8', ONNXRUNTIME_INT8, AGREEMENT);
  hold('onnxruntime-web, fp32', 'onnxruntime-node, fp32', 1e-3);
  hold(ONNXRUNTIME_INT8, 'onnxruntime-node, fp32', 2 * AGREEMENT);
  // PyTorch quantizes as our default profile does; OpenVINO quantizes less than that, or at other places.
  hold(PYTORCH, OURS, AGREEMENT);
  hold(OPENVINO, OURS, 2 * AGREEMENT);
  return found;
}
