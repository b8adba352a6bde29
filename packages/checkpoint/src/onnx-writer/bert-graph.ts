import {
  basePrefix,
  checkComputation,
  type JsonObject,
  type LayerNames,
  modelFamily,
  type ParameterNames,
  PruneError,
  parameterNames,
  type QuantizedLinear,
  type QuantizedStateDict,
  type Tensor,
  tensor,
} from '@prune/core';
import { OnnxGraphWriter } from './onnx-graph-writer.js';

/** `onnx.TensorProto.DataType` */
const FLOAT = 1;
const INT64 = 7;

/** The head that a class of transformers says. */
const HEADS = [
  [/ForQuestionAnswering$/, 'question-answering'],
  [/ForSequenceClassification$/, 'sequence-classification'],
  [/ForTokenClassification$/, 'token-classification'],
  [/For(?:MaskedLM|PreTraining)$/, 'masked-lm'],
] as const;

type Head = (typeof HEADS)[number][1];

/** The graph of a model: see `writeOnnx`. Reads every module once, to learn its shape, and keeps none. */
export async function bertGraph(quantized: QuantizedStateDict, config: JsonObject): Promise<OnnxGraphWriter> {
  return new BertGraph(quantized, config).build();
}

/** A Linear without its codes, which are read when they are written. */
type KnownLinear = Omit<QuantizedLinear, 'weight'> & { readonly shape: readonly [rows: number, columns: number] };

/** An activation with its codes: several Linears may take one. */
interface QuantizedActivation {
  readonly codes: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

class BertGraph {
  readonly #graph = new OnnxGraphWriter();
  readonly #stored: QuantizedStateDict;
  readonly #present: ReadonlySet<string>;
  readonly #config: JsonObject;
  readonly #names: ParameterNames;
  readonly #family: string;
  #nodes = 0;
  readonly #constants = new Map<string, string>();

  constructor(stored: QuantizedStateDict, config: JsonObject) {
    const family = modelFamily(config);
    if (family === undefined) {
      const got = String(config.model_type ?? config.architectures);
      throw new PruneError('unsupported', { where: 'config', what: 'architecture of an ONNX graph', got });
    }
    checkComputation(config);
    this.#stored = stored;
    this.#present = new Set(stored.keys());
    this.#config = config;
    this.#family = family;
    this.#names = parameterNames(family, basePrefix(this.#present));
  }

  async build(): Promise<OnnxGraphWriter> {
    const names = this.#names;
    this.#graph.value('input', 'input_ids', 'int64', ['batch', 'sequence']);
    this.#graph.value('input', 'attention_mask', 'int64', ['batch', 'sequence']);
    const mask = this.#mask();
    let x = await this.#layerNorm(names.embeddingNorm, await this.#embeddings());
    const layers = this.#number(this.#family === 'distilbert' ? 'n_layers' : 'num_hidden_layers');
    for (let index = 0; index < layers; index++) x = await this.#layer(names.layer(index), x, mask);
    await this.#outputs(this.#head(), x);
    return this.#graph;
  }

  async #embeddings(): Promise<string> {
    const { wordEmbeddings, positionEmbeddings, tokenTypeEmbeddings } = this.#names;
    const words = this.#node('Gather', [await this.#parameter(`${wordEmbeddings}.weight`), 'input_ids']);
    const table = await this.#parameter(`${positionEmbeddings}.weight`);
    const positions = this.#node('Gather', [table, await this.#positions(`${positionEmbeddings}.weight`)]);
    if (tokenTypeEmbeddings === undefined) return this.#node('Add', [words, positions]);
    this.#graph.value('input', 'token_type_ids', 'int64', ['batch', 'sequence']);
    const types = this.#node('Gather', [await this.#parameter(`${tokenTypeEmbeddings}.weight`), 'token_type_ids']);
    return this.#node('Add', [this.#node('Add', [words, types]), positions]);
  }

  /** The number of each token's row in the position table. RoBERTa does not count padding. */
  async #positions(table: string): Promise<string> {
    if (this.#family === 'roberta') {
      const pad = this.#integers('pad', Number(this.#config.pad_token_id ?? 1));
      const padding = this.#node('Equal', ['input_ids', pad]);
      const counted = this.#node('Cast', [this.#node('Not', [padding])], { to: INT64 });
      const sums = this.#node('CumSum', [counted, this.#integers('axis_1', 1)]);
      return this.#node('Add', [this.#node('Mul', [sums, counted]), pad]);
    }
    const [rows] = (await this.#tensor(table)).shape;
    const every = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i));
    const ids = this.#constant('position_ids', tensor('int64', [1, rows], every));
    const length = this.#node('Shape', ['input_ids'], { start: 1, end: 2 });
    return this.#node('Slice', [ids, this.#list('first', [0]), length, this.#list('axes_1', [1])]);
  }

  /** What is added to scores: 0, and the most negative float32 for tokens that are masked. */
  #mask(): string {
    const wide = this.#node('Unsqueeze', ['attention_mask', this.#list('axes_1_2', [1, 2])]);
    const masked = this.#node('Sub', [this.#float('one', 1), this.#node('Cast', [wide], { to: FLOAT })]);
    return this.#node('Mul', [masked, this.#float('lowest', -3.4028234663852886e38)]);
  }

  async #layer(layer: LayerNames, x: string, mask: string): Promise<string> {
    const attended = await this.#attention(layer, x, mask);
    const summed = this.#node('Add', [await this.#linear(layer.attentionOutput, attended), x]);
    const middle = await this.#layerNorm(layer.attentionNorm, summed);
    const activated = this.#activation(await this.#linear(layer.intermediate, middle));
    const output = await this.#linear(layer.output, activated);
    return this.#layerNorm(layer.outputNorm, this.#node('Add', [output, middle]));
  }

  async #attention(layer: LayerNames, x: string, mask: string): Promise<string> {
    const heads = this.#number(this.#family === 'distilbert' ? 'n_heads' : 'num_attention_heads');
    const [hidden] = (await this.#tensor(`${this.#names.embeddingNorm}.weight`)).shape;
    const size = hidden / heads;
    // Heads may have been pruned.
    const width = (await this.#known(layer.query)).shape[0];
    const quantized = this.#quantizedActivation(x);
    const cut = this.#list(`heads_${width}`, [0, 0, width / size, size]);
    const split = async (module: string, perm: readonly number[]) =>
      this.#node('Transpose', [this.#node('Reshape', [await this.#linear(module, x, quantized), cut])], { perm });
    const query = await split(layer.query, [0, 2, 1, 3]);
    const key = await split(layer.key, [0, 2, 3, 1]);
    const value = await split(layer.value, [0, 2, 1, 3]);
    const products = this.#node('MatMul', [query, key]);
    const scores = this.#node('Div', [products, this.#float('root_of_size', Math.sqrt(size))]);
    const weights = this.#node('Softmax', [this.#node('Add', [scores, mask])], { axis: -1 });
    const mixed = this.#node('Transpose', [this.#node('MatMul', [weights, value])], { perm: [0, 2, 1, 3] });
    return this.#node('Reshape', [mixed, this.#list(`joined_${width}`, [0, 0, width])]);
  }

  #activation(x: string): string {
    const name = (this.#family === 'distilbert' ? this.#config.activation : this.#config.hidden_act) ?? 'gelu';
    if (name === 'relu') return this.#node('Relu', [x]);
    if (name === 'gelu') {
      const erf = this.#node('Erf', [this.#node('Div', [x, this.#float('root_of_2', Math.SQRT2)])]);
      const product = this.#node('Mul', [x, this.#node('Add', [erf, this.#float('one', 1)])]);
      return this.#node('Mul', [product, this.#float('half', 0.5)]);
    }
    if (name === 'gelu_new') {
      const half = this.#node('Mul', [x, this.#float('half', 0.5)]);
      const cube = this.#node('Mul', [this.#node('Pow', [x, this.#float('three', 3)]), this.#float('cubic', 0.044715)]);
      const inner = this.#node('Mul', [this.#node('Add', [x, cube]), this.#float('root', Math.sqrt(2 / Math.PI))]);
      const sum = this.#node('Add', [this.#node('Tanh', [inner]), this.#float('one', 1)]);
      return this.#node('Mul', [half, sum]);
    }
    const wanted = 'gelu, gelu_new or relu';
    throw new PruneError('unsupported', { where: 'config', what: 'activation', got: String(name), wanted });
  }

  async #layerNorm(module: string, x: string): Promise<string> {
    const epsilon = this.#family === 'distilbert' ? 1e-12 : Number(this.#config.layer_norm_eps ?? 1e-12);
    const inputs = [x, await this.#parameter(`${module}.weight`), await this.#parameter(`${module}.bias`)];
    const [output] = this.#graph.node('LayerNormalization', inputs, [this.#name('LayerNormalization')], {
      floats: { epsilon },
      ints: { axis: -1 },
    });
    return output;
  }

  /** The nodes of onnxruntime's `quantize_dynamic`: codes of the input, integer products, and the scales' product. */
  async #linear(module: string, x: string, quantized = this.#quantizedActivation(x)): Promise<string> {
    const { shape, scales, qscheme, bias } = await this.#known(module);
    const [rows, columns] = shape;
    const perChannel = qscheme === 'per_channel_affine';
    const weight = `${module}.weight`;
    const codes = this.#once(`${weight}_quantized`, (name) =>
      this.#graph.constantLater(name, { dtype: 'int8', shape: [columns, rows] }, async () => {
        const linear = await this.#stored.get(module);
        if (linear === undefined || !('kind' in linear) || linear.kind !== 'linear') throw missing(module);
        return tensor('int8', [columns, rows], transposed(linear.weight.intRepr, rows, columns));
      }),
    );
    const each = perChannel ? [rows] : [];
    const scale = this.#constant(`${weight}_scale`, tensor('float32', each, Float32Array.from(scales)));
    const zeroPoint = this.#constant(`${weight}_zero_point`, tensor('int8', each, new Int8Array(scales.length)));
    const product = this.#node('MatMulInteger', [quantized.codes, codes, quantized.zeroPoint, zeroPoint]);
    const scaled = this.#node('Mul', [
      this.#node('Cast', [product], { to: FLOAT }),
      this.#node('Mul', [quantized.scale, scale]),
    ]);
    return bias === null ? scaled : this.#node('Add', [scaled, this.#constant(`${module}.bias`, bias)]);
  }

  #quantizedActivation(x: string): QuantizedActivation {
    const outputs = ['quantized', 'scale', 'zero_point'].map((part) => `${x}_${part}`);
    const key = `DynamicQuantizeLinear ${x}`;
    if (!this.#constants.has(key)) {
      this.#constants.set(key, x);
      this.#graph.node('DynamicQuantizeLinear', [x], outputs);
    }
    const [codes, scale, zeroPoint] = outputs;
    return { codes, scale, zeroPoint };
  }

  #head(): Head | undefined {
    const { architectures } = this.#config;
    const classes = Array.isArray(architectures) ? architectures.filter((name) => typeof name === 'string') : [];
    const named = HEADS.find(([suffix]) => classes.some((name) => suffix.test(name)))?.[1];
    if (named !== undefined) return named;
    if (this.#present.has(this.#names.questionAnswering)) return 'question-answering';
    if (this.#present.has(this.#names.maskedLanguageModel.dense)) return 'masked-lm';
    const { classifier, dense } = this.#names.sequenceClassification;
    if (!this.#present.has(classifier) && !this.#present.has(this.#names.tokenClassification)) return undefined;
    return this.#present.has(dense) ? 'sequence-classification' : 'token-classification';
  }

  async #outputs(head: Head | undefined, x: string): Promise<void> {
    const names = this.#names;
    const whole = ['batch', 'sequence'];
    if (head === undefined) {
      const [hidden] = (await this.#tensor(`${names.embeddingNorm}.weight`)).shape;
      this.#output('last_hidden_state', x, [...whole, hidden]);
      if (names.pooler === undefined || !this.#present.has(names.pooler)) return;
      const first = this.#node('Gather', [x, this.#integers('index_0', 0)], { axis: 1 });
      this.#output('pooler_output', this.#node('Tanh', [await this.#linear(names.pooler, first)]), ['batch', hidden]);
    } else if (head === 'question-answering') {
      const spans = await this.#linear(names.questionAnswering, x);
      for (const [index, name] of ['start_logits', 'end_logits'].entries()) {
        const place = this.#integers(`index_${index}`, index);
        this.#output(name, this.#node('Gather', [spans, place], { axis: 2 }), whole);
      }
    } else if (head === 'token-classification') {
      const labels = (await this.#known(names.tokenClassification)).shape[0];
      this.#output('logits', await this.#linear(names.tokenClassification, x), [...whole, labels]);
    } else if (head === 'sequence-classification') {
      const { dense, activation, classifier } = names.sequenceClassification;
      const first = this.#node('Gather', [x, this.#integers('index_0', 0)], { axis: 1 });
      const pooled = this.#node(activation === 'tanh' ? 'Tanh' : 'Relu', [await this.#linear(dense, first)]);
      const labels = (await this.#known(classifier)).shape[0];
      this.#output('logits', await this.#linear(classifier, pooled), ['batch', labels]);
    } else {
      const { dense, norm, decoder, bias } = names.maskedLanguageModel;
      const transformed = await this.#layerNorm(norm, this.#activation(await this.#linear(dense, x)));
      const words = `${names.wordEmbeddings}.weight`;
      const [rows] = (await this.#tensor(words)).shape;
      if (this.#present.has(decoder)) {
        this.#output('logits', await this.#linear(decoder, transformed), [...whole, rows]);
        return;
      }
      // The decoder is the word table.
      const weight = this.#node('Transpose', [await this.#parameter(words)], { perm: [1, 0] });
      const product = this.#node('MatMul', [transformed, weight]);
      this.#output('logits', this.#node('Add', [product, await this.#parameter(bias)]), [...whole, rows]);
    }
  }

  #output(name: string, x: string, shape: readonly (string | number)[]): void {
    this.#graph.node('Identity', [x], [name]);
    this.#graph.value('output', name, 'float32', shape);
  }

  #number(name: string): number {
    const value = this.#config[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    throw new PruneError('missing', { where: 'config', what: name, wanted: 'an integer, for the ONNX graph' });
  }

  async #known(module: string): Promise<KnownLinear> {
    const entry = await this.#stored.get(module);
    if (entry === undefined) throw missing(module);
    if (!('kind' in entry) || entry.kind !== 'linear') {
      throw new PruneError('unsupported', { what: 'not a quantized Linear', tensor: module });
    }
    const { weight, ...rest } = entry;
    return { ...rest, shape: weight.shape };
  }

  async #tensor(name: string): Promise<Tensor> {
    const entry = await this.#stored.get(name);
    if (entry === undefined) throw missing(name);
    if ('kind' in entry || entry.dtype !== 'float32') {
      throw new PruneError('unsupported', { what: 'not a float32 tensor', tensor: name });
    }
    return entry;
  }

  async #parameter(name: string): Promise<string> {
    // Not the tensor itself, which would stay in memory until it is written.
    const { dtype, shape } = await this.#tensor(name);
    return this.#once(name, () => this.#graph.constantLater(name, { dtype, shape }, () => this.#tensor(name)));
  }

  #constant(name: string, value: Tensor): string {
    return this.#once(name, () => this.#graph.constant(name, value));
  }

  #once(name: string, add: (name: string) => string): string {
    const known = this.#constants.get(name) ?? add(name);
    this.#constants.set(name, known);
    return known;
  }

  #float(name: string, value: number): string {
    return this.#constant(`constant.${name}`, tensor('float32', [], Float32Array.of(value)));
  }

  #integers(name: string, value: number): string {
    return this.#constant(`constant.${name}`, tensor('int64', [], BigInt64Array.of(BigInt(value))));
  }

  #list(name: string, values: readonly number[]): string {
    return this.#constant(`constant.${name}`, tensor('int64', [values.length], BigInt64Array.from(values, BigInt)));
  }

  #node(operator: string, inputs: readonly string[], ints: Record<string, number | readonly number[]> = {}): string {
    return this.#graph.node(operator, inputs, [this.#name(operator)], { ints })[0];
  }

  #name(operator: string): string {
    return `${operator}_${this.#nodes++}`;
  }
}

function missing(name: string): PruneError {
  return new PruneError('missing', { what: 'not in the model, which the ONNX graph needs', tensor: name });
}

/** `[rows, columns]` as `[columns, rows]`. */
function transposed(codes: Int8Array, rows: number, columns: number): Int8Array<ArrayBuffer> {
  const result = new Int8Array(codes.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = codes[row * columns + column];
  }
  return result;
}
