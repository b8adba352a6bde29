import {
  type ByteSink,
  checkAborted,
  checkReadableMap,
  type JsonObject,
  PruneError,
  type QuantizedStateDict,
} from '@prune/core';
import { bertGraph } from './onnx-writer/bert-graph.js';
import { writeToSink } from './write-to-sink.js';

/** Options of {@link writeOnnx}. */
export interface WriteOnnxOptions {
  readonly signal?: AbortSignal;
  /** Called with the bytes that were written and those of the file. */
  readonly onBytes?: (written: number, bytes: number) => void;
}

/** protobuf's own limit on a message. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Writes a quantized BERT, DistilBERT or RoBERTa, with or without a head, as the ONNX graph that onnxruntime's
 * `quantize_dynamic` makes of an exported one, then commits the sink; aborts it when anything fails. Linears are
 * DynamicQuantizeLinear, MatMulInteger, Cast and Mul with their own codes and scales, tables and everything else float32.
 * Inputs `input_ids`, `attention_mask` and, if the family has them, `token_type_ids`, int64 `[batch, sequence]`; outputs
 * are called as transformers calls them. A module is read twice, and no two matrices are in memory. Modules that the
 * head does not use are left out.
 * Throws `unsupported` for another architecture, for what `checkComputation` refuses, for a quantized table and for a
 * file of 2 GiB, `missing`, `aborted`.
 */
export async function writeOnnx(
  sink: ByteSink,
  quantized: QuantizedStateDict,
  config: JsonObject,
  { signal, onBytes }: WriteOnnxOptions = {},
): Promise<void> {
  await writeToSink('writeOnnx', sink, async () => {
    checkReadableMap('writeOnnx', 'quantized state dict', quantized);
    checkAborted(signal);
    const model = (await bertGraph(quantized, config)).model('prune');
    if (model.byteLength > MAX_BYTES) {
      const wanted = `at most ${MAX_BYTES}, more need external data`;
      throw new PruneError('unsupported', { what: 'ONNX file (bytes)', got: model.byteLength, wanted });
    }
    let written = 0;
    for (const chunk of model.chunks) {
      checkAborted(signal);
      await sink.write('read' in chunk ? await chunk.read() : chunk);
      written += chunk.byteLength;
      onBytes?.(written, model.byteLength);
    }
  });
}
