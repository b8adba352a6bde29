import { OnnxGraphWriter } from '@prune/checkpoint';
import {
  type ElementaryStateDict,
  type JsonObject,
  PruneError,
  parameterNames,
  type QuantizedEmbedding,
  type QuantizedLinear,
  tensor,
} from '@prune/core';
import { recompose } from '@prune/csr';
import { embeddingSum } from './embedding-sum.js';
import { modelReader } from './model-reader.js';
import { transposedCodes } from './transposed-codes.js';

/** How the peer computes: float32 from the dequantized weights, or dynamically quantized from the same int8 codes. */
export type PeerPrecision = 'fp32' | 'int8';

/** `onnx.TensorProto.DataType.FLOAT` */
const FLOAT = 1;

/** Options of {@link bertOnnx}. */
export interface BertOnnxOptions {
  /**
   * A graph that transformers.js runs: inputs `input_ids`, `token_type_ids` int64, outputs `start_logits`, `end_logits`
   * float32 `[batch, length]`, and the word table as int8 rows, because the file is downloaded.
   */
  readonly transformers?: boolean;
}

/**
 * A BERT with a question answering head as ONNX Runtime runs it fastest: its own fused operators (EmbedLayerNormalization, Attention, SkipLayerNormalization,
 * BiasGelu; QAttention and DynamicQuantizeMatMul for int8), which its optimizers make of an exported BERT. Inputs `input_ids`, `segment_ids` int32 `[batch, length]`,
 * no padding; output `logits` float32 `[batch, length, 2]`. Weights are dense: the same codes and scales as the sparse file.
 */
export async function bertOnnx(
  elementary: ElementaryStateDict,
  config: JsonObject,
  precision: PeerPrecision,
  { transformers = false }: BertOnnxOptions = {},
): Promise<readonly Uint8Array[]> {
  const {
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    layer_norm_eps: epsilon,
  } = config as Record<string, number>;
  const names = parameterNames('bert', 'bert.');
  const graph = new OnnxGraphWriter();
  const read = modelReader(recompose(elementary));
  const floats = { epsilon };
  const parameter = async (name: string) => graph.constant(name, await read.tensor(name));
  const layerNorm = async (module: string) => [await parameter(`${module}.weight`), await parameter(`${module}.bias`)];

  const type = transformers ? 'int64' : 'int32';
  const segments = transformers ? 'token_type_ids' : 'segment_ids';
  graph.value('input', 'input_ids', type, ['batch', 'length']);
  graph.value('input', segments, type, ['batch', 'length']);
  const norm = await layerNorm(names.embeddingNorm);
  const tables: string[] = [];
  for (const table of [names.positionEmbeddings, names.tokenTypeEmbeddings])
    tables.push(await parameter(`${table}.weight`));
  let x: string;
  if (transformers) {
    const words = wordRows(graph, names.wordEmbeddings, await read.embedding(names.wordEmbeddings));
    const sum = embeddingSum(graph, words, segments, tables);
    [x] = graph.node('LayerNormalization', [sum, ...norm], ['embedded'], { floats, ints: { axis: -1 } });
  } else {
    const inputs = ['input_ids', segments, await parameter(`${names.wordEmbeddings}.weight`), ...tables, ...norm];
    [x] = graph.node('EmbedLayerNormalization', inputs, ['embedded', 'mask_index'], { microsoft: true, floats });
  }

  for (let index = 0; index < layers; index++) {
    // Names in the graph alone: what the fused operators of this layer read and write.
    const prefix = `bert.encoder.layer.${index}`;
    const layer = names.layer(index);
    const projections: QuantizedLinear[] = [];
    for (const module of [layer.query, layer.key, layer.value]) projections.push(await read.linear(module));
    const attended = attention(graph, precision, prefix, x, projections, heads);
    const output = await read.linear(layer.attentionOutput);
    const projected = linear(graph, precision, layer.attentionOutput, attended, output);
    const skip = async (module: string, from: string, module2: string, { bias }: QuantizedLinear) =>
      graph.node(
        'SkipLayerNormalization',
        [from, x, ...(await layerNorm(module)), graph.constant(`${module2}.bias`, bias!)],
        [`${module}.out`],
        { microsoft: true, floats },
      )[0];
    x = await skip(layer.attentionNorm, projected, layer.attentionOutput, output);
    const wide = await read.linear(layer.intermediate);
    const grown = linear(graph, precision, layer.intermediate, x, wide);
    const bias = graph.constant(`${layer.intermediate}.bias`, wide.bias!);
    const [active] = graph.node('BiasGelu', [grown, bias], [`${prefix}.gelu`], { microsoft: true });
    const narrow = await read.linear(layer.output);
    const shrunk = linear(graph, precision, layer.output, active, narrow);
    x = await skip(layer.outputNorm, shrunk, layer.output, narrow);
  }
  const { questionAnswering } = names;
  const head = await read.linear(questionAnswering);
  const scores = linear(graph, precision, questionAnswering, x, head);
  graph.node('Add', [scores, graph.constant(`${questionAnswering}.bias`, head.bias!)], ['logits']);
  if (transformers) {
    ['start_logits', 'end_logits'].forEach((output, index) => {
      const place = graph.constant(`${output}.index`, tensor('int64', [], BigInt64Array.of(BigInt(index))));
      graph.node('Gather', ['logits', place], [output], { ints: { axis: 2 } });
      graph.value('output', output, 'float32', ['batch', 'length']);
    });
  } else graph.value('output', 'logits', 'float32', ['batch', 'length', 2]);
  if (!Number.isInteger(hidden))
    throw new PruneError('invalid-argument', { where: 'bench', what: 'config has no hidden_size' });
  // Every constant of this graph was given when it was added.
  return graph.model('prune-bench').chunks as readonly Uint8Array[];
}

/** The tokens' rows of a table of int8 rows: `(code - zero point) * scale`. */
function wordRows(
  graph: OnnxGraphWriter,
  name: string,
  { bits, shape: [rows, columns], intRepr, zeroPoints, scales }: QuantizedEmbedding,
): string {
  if (bits !== 8) {
    const what = 'not a table of 8 bits';
    throw new PruneError('mismatch', { where: 'bench', what, got: bits, tensor: name });
  }
  const gathered = [
    graph.constant(`${name}.codes`, tensor('uint8', [rows, columns], new Uint8Array(intRepr))),
    graph.constant(`${name}.zero_points`, tensor('float32', [rows, 1], new Float32Array(zeroPoints))),
    graph.constant(`${name}.scales`, tensor('float32', [rows, 1], new Float32Array(scales))),
  ].map((table) => graph.node('Gather', [table, 'input_ids'], [`${table}.rows`])[0]);
  const [codes] = graph.node('Cast', [gathered[0]], [`${name}.floats`], { ints: { to: FLOAT } });
  const [shifted] = graph.node('Sub', [codes, gathered[1]], [`${name}.shifted`]);
  return graph.node('Mul', [shifted, gathered[2]], [`${name}.rows`])[0];
}

/** `x W^T` without the bias, which the next operator adds. */
function linear(
  graph: OnnxGraphWriter,
  precision: PeerPrecision,
  name: string,
  x: string,
  { weight, scales }: QuantizedLinear,
): string {
  const [rows, columns] = weight.shape;
  const codes = transposedCodes(weight);
  if (precision === 'fp32') {
    const values = Float32Array.from(codes, (code) => code * scales[0]);
    return graph.node(
      'MatMul',
      [x, graph.constant(`${name}.weight`, tensor('float32', [columns, rows], values))],
      [`${name}.out`],
    )[0];
  }
  const constants = [
    graph.constant(`${name}.codes`, tensor('int8', [columns, rows], codes)),
    graph.constant(`${name}.scale`, tensor('float32', [], Float32Array.of(scales[0]))),
  ];
  return graph.node('DynamicQuantizeMatMul', [x, ...constants], [`${name}.out`], { microsoft: true })[0];
}

/** Query, key and value as one matrix `[in, 3 * out]`. */
function attention(
  graph: OnnxGraphWriter,
  precision: PeerPrecision,
  prefix: string,
  x: string,
  projections: readonly QuantizedLinear[],
  heads: number,
): string {
  const [rows, columns] = projections[0].weight.shape;
  const codes = new Int8Array(3 * rows * columns);
  const bias = new Float32Array(3 * rows);
  const scales = new Float32Array(3 * rows);
  projections.forEach((projection, part) => {
    const { intRepr } = projection.weight;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) codes[c * 3 * rows + part * rows + r] = intRepr[r * columns + c];
    }
    bias.set(projection.bias!.data, part * rows);
    scales.fill(projection.scales[0], part * rows, (part + 1) * rows);
  });
  const shape = [columns, 3 * rows];
  const biasName = graph.constant(`${prefix}.qkv.bias`, tensor('float32', [3 * rows], bias));
  const options = { microsoft: true, ints: { num_heads: heads } };
  if (precision === 'fp32') {
    const values = Float32Array.from(codes, (code, i) => code * scales[i % (3 * rows)]);
    const weight = graph.constant(`${prefix}.qkv.weight`, tensor('float32', shape, values));
    return graph.node('Attention', [x, weight, biasName], [`${prefix}.attended`], options)[0];
  }
  const [quantized, scale, zero] = graph.node(
    'DynamicQuantizeLinear',
    [x],
    ['.codes', '.scale', '.zero'].map((end) => `${prefix}.x${end}`),
  );
  const weight = graph.constant(`${prefix}.qkv.codes`, tensor('int8', shape, codes));
  const weightScale = graph.constant(`${prefix}.qkv.scale`, tensor('float32', [3 * rows], scales));
  const inputs = [quantized, weight, biasName, scale, weightScale, '', zero];
  return graph.node('QAttention', inputs, [`${prefix}.attended`], options)[0];
}
