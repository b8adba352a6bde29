import { OnnxGraphWriter } from '@prune/checkpoint';
import { type ElementaryStateDict, type JsonObject, PruneError, parameterNames, tensor } from '@prune/core';
import { recompose } from '@prune/csr';
import { embeddingSum } from './embedding-sum.js';
import { modelReader } from './model-reader.js';
import { transposedCodes } from './transposed-codes.js';

/**
 * The model of `bertOnnx`, with the same inputs and output, in standard operators alone, for runtimes that do not know
 * those of ONNX Runtime. A Linear is DequantizeLinear of its int8 codes, then MatMul: the form in which a runtime finds
 * weights of 8 bits. The runtime decides what it quantizes of the activations.
 */
export async function standardBertOnnx(
  elementary: ElementaryStateDict,
  config: JsonObject,
): Promise<readonly Uint8Array[]> {
  const {
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    layer_norm_eps: epsilon,
  } = config as Record<string, number>;
  if (!Number.isInteger(hidden / heads))
    throw new PruneError('invalid-argument', { where: 'bench', what: 'config has no hidden_size or heads' });
  const names = parameterNames('bert', 'bert.');
  const graph = new OnnxGraphWriter();
  const read = modelReader(recompose(elementary));
  const parameter = async (name: string) => graph.constant(name, await read.tensor(name));
  const scalar = (name: string, value: number) => graph.constant(name, tensor('float32', [], Float32Array.of(value)));
  const shape = (name: string, ...sizes: number[]) =>
    graph.constant(name, tensor('int64', [sizes.length], BigInt64Array.from(sizes, BigInt)));
  const node = (operator: string, inputs: readonly string[], output: string, ints: Record<string, number> = {}) =>
    graph.node(operator, inputs, [output], { ints })[0];

  const layerNorm = async (module: string, x: string) => {
    const inputs = [x, await parameter(`${module}.weight`), await parameter(`${module}.bias`)];
    const options = { floats: { epsilon }, ints: { axis: -1 } };
    return graph.node('LayerNormalization', inputs, [`${module}.out`], options)[0];
  };
  const linear = async (module: string, x: string) => {
    const { weight, scales, bias } = await read.linear(module);
    const [rows, columns] = weight.shape;
    const codes = graph.constant(`${module}.codes`, tensor('int8', [columns, rows], transposedCodes(weight)));
    const dequantized = node('DequantizeLinear', [codes, scalar(`${module}.scale`, scales[0])], `${module}.weight`);
    const product = node('MatMul', [x, dequantized], `${module}.product`);
    return node('Add', [product, graph.constant(`${module}.bias`, bias!)], `${module}.out`);
  };
  // A zero takes the input's size, as it is known when the graph runs.
  const [split, joined] = [shape('split', 0, 0, heads, hidden / heads), shape('joined', 0, 0, hidden)];
  const transposed = (x: string, perm: readonly number[]) =>
    graph.node('Transpose', [x], [`${x}.transposed`], { ints: { perm } })[0];
  const scale = scalar('attention.scale', Math.sqrt(heads / hidden));
  const [two, half, one] = [scalar('gelu.root', Math.SQRT2), scalar('gelu.half', 0.5), scalar('gelu.one', 1)];

  graph.value('input', 'input_ids', 'int32', ['batch', 'length']);
  graph.value('input', 'segment_ids', 'int32', ['batch', 'length']);
  const words = node('Gather', [await parameter(`${names.wordEmbeddings}.weight`), 'input_ids'], 'words.rows');
  const tables: string[] = [];
  for (const table of [names.positionEmbeddings, names.tokenTypeEmbeddings])
    tables.push(await parameter(`${table}.weight`));
  let x = await layerNorm(names.embeddingNorm, embeddingSum(graph, words, 'segment_ids', tables));

  for (let index = 0; index < layers; index++) {
    const layer = names.layer(index);
    const heads = async (module: string, perm: readonly number[]) =>
      transposed(node('Reshape', [await linear(module, x), split], `${module}.heads`), perm);
    const [query, value] = [await heads(layer.query, [0, 2, 1, 3]), await heads(layer.value, [0, 2, 1, 3])];
    const key = await heads(layer.key, [0, 2, 3, 1]);
    const prefix = `layer.${index}`;
    const scores = node('Mul', [node('MatMul', [query, key], `${prefix}.products`), scale], `${prefix}.scores`);
    const weights = node('Softmax', [scores], `${prefix}.weights`, { axis: -1 });
    const context = transposed(node('MatMul', [weights, value], `${prefix}.context`), [0, 2, 1, 3]);
    const attended = await linear(layer.attentionOutput, node('Reshape', [context, joined], `${prefix}.joined`));
    x = await layerNorm(layer.attentionNorm, node('Add', [attended, x], `${prefix}.attention.sum`));
    const grown = await linear(layer.intermediate, x);
    const erf = node('Erf', [node('Div', [grown, two], `${prefix}.gelu.divided`)], `${prefix}.gelu.erf`);
    const halved = node('Mul', [grown, half], `${prefix}.gelu.halved`);
    const active = node('Mul', [halved, node('Add', [erf, one], `${prefix}.gelu.sum`)], `${prefix}.gelu`);
    x = await layerNorm(layer.outputNorm, node('Add', [await linear(layer.output, active), x], `${prefix}.sum`));
  }
  node('Identity', [await linear(names.questionAnswering, x)], 'logits');
  graph.value('output', 'logits', 'float32', ['batch', 'length', 2]);
  // Every constant of this graph was given when it was added.
  return graph.model('prune-bench').chunks as readonly Uint8Array[];
}
