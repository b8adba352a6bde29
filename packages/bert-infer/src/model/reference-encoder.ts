import { exp } from '../math/exp.js';
import { tanh } from '../math/tanh.js';
import { applyLinear, type LinearMode } from './apply-linear.js';
import type { Activation } from './bert-config.js';
import type { AnyLinear, LayerNormParameters } from './read-modules.js';

/** One layer's modules, in the order of the computation. */
export interface EncoderLayer {
  readonly query: AnyLinear;
  readonly key: AnyLinear;
  readonly value: AnyLinear;
  readonly attentionOutput: AnyLinear;
  readonly attentionNorm: LayerNormParameters;
  readonly intermediate: AnyLinear;
  readonly output: AnyLinear;
  readonly outputNorm: LayerNormParameters;
}

/** The layers of an encoder and how they compute. */
export interface EncoderSpec {
  readonly layers: readonly EncoderLayer[];
  readonly heads: number;
  readonly activation: Activation;
  readonly layerNormEps: number;
  readonly mode: LinearMode;
}

/**
 * The encoder in plain TypeScript, everything but the quantized Linears in float64: the specification that an engine's encoder is held to.
 * `hidden` float32 `[tokens, width]`, sequences one after the other; a sequence's first `keyLengths` tokens are attended to. Gives every
 * layer's output, the input first.
 */
export function referenceEncoder(
  { layers, heads, activation, layerNormEps, mode }: EncoderSpec,
  hidden: Float32Array,
  lengths: Int32Array,
  keyLengths: Int32Array,
): Float32Array[] {
  const states = [hidden];
  for (const layer of layers) {
    const x = states[states.length - 1];
    const [query, key, value] = [layer.query, layer.key, layer.value].map((linear) => applyLinear(linear, x, mode));
    const context = attention(query, key, value, heads, lengths, keyLengths);
    const attended = applyLinear(layer.attentionOutput, context, mode);
    const middle = referenceLayerNorm(sum(attended, x), layer.attentionNorm, layerNormEps);
    const wide = applyLinear(layer.intermediate, middle, mode).map((value) => activate(value, activation));
    const narrow = applyLinear(layer.output, wide, mode);
    states.push(referenceLayerNorm(sum(narrow, middle), layer.outputNorm, layerNormEps));
  }
  return states;
}

/** LayerNorm over rows of `weight.length`, biased variance. */
export function referenceLayerNorm(x: Float32Array, { weight, bias }: LayerNormParameters, eps: number): Float32Array {
  const width = weight.length;
  const y = new Float32Array(x.length);
  for (let begin = 0; begin < x.length; begin += width) {
    const row = x.subarray(begin, begin + width);
    const mean = row.reduce((total, value) => total + value, 0) / width;
    const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / width;
    const inverse = 1 / Math.sqrt(variance + eps);
    for (let i = 0; i < width; i++) y[begin + i] = (row[i] - mean) * inverse * weight[i] + bias[i];
  }
  return y;
}

/** `gelu` (with erf), `gelu_new` (with tanh), `relu`. */
export function activate(x: number, activation: Activation): number {
  if (activation === 'relu') return Math.max(x, 0);
  if (activation === 'gelu') return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
  return 0.5 * x * (1 + tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** `2/sqrt(pi) e^(-x^2) sum_n 2^n x^(2n+1) / (1 3 5 ... (2n+1))`: all terms have one sign, so nothing cancels. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * exp(-x * x) * total;
}

function attention(
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
  heads: number,
  lengths: Int32Array,
  keyLengths: Int32Array,
): Float32Array {
  const tokens = lengths.reduce((total, length) => total + length, 0);
  const width = tokens === 0 ? 0 : query.length / tokens;
  const size = width / heads;
  const context = new Float32Array(query.length);
  let first = 0;
  for (let sequence = 0; sequence < lengths.length; sequence++) {
    for (let token = first; token < first + lengths[sequence]; token++) {
      for (let head = 0; head < heads; head++) {
        const at = token * width + head * size;
        const scores = Array.from({ length: keyLengths[sequence] }, (_, k) => {
          let dot = 0;
          for (let i = 0; i < size; i++) dot += query[at + i] * key[(first + k) * width + head * size + i];
          return dot / Math.sqrt(size);
        });
        const max = Math.max(...scores);
        const powers = scores.map((score) => exp(score - max));
        const total = powers.reduce((sum, power) => sum + power, 0);
        for (let i = 0; i < size; i++) {
          let mixed = 0;
          for (let k = 0; k < powers.length; k++) mixed += powers[k] * value[(first + k) * width + head * size + i];
          context[at + i] = mixed / total;
        }
      }
    }
    first += lengths[sequence];
  }
  return context;
}

function sum(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]);
}
