import type { OnnxAttribute, OnnxNode } from './onnx-graph.js';
import type { Constant, Entry, Value } from './values.js';

/**
 * Tells what a node computes from what its inputs mean: an entry for each output, or one for the first. `undefined`
 * where the rule does not apply; then the next rule of the operator is tried.
 */
export type Rule = (step: Step) => Entry | readonly Entry[] | undefined;

/** A node and its inputs. */
export interface Step {
  readonly node: OnnxNode;
  /** `undefined` for an input that the node leaves out. */
  readonly inputs: readonly (Entry | undefined)[];
  /** The version of ONNX's own operators: some defaults depend on it. */
  readonly opset: number;
  /** For what people should be told about the model. */
  readonly notes: Set<string>;
}

/** The integer of an attribute or a default. */
export function integerAttribute({ attributes }: OnnxNode, name: string, otherwise: number): number {
  const value = attributes.get(name);
  return value?.kind === 'integer' ? value.integer : otherwise;
}

/** The float of an attribute or a default. */
export function floatAttribute({ attributes }: OnnxNode, name: string, otherwise: number): number {
  const value = attributes.get(name);
  return value?.kind === 'float' ? value.float : otherwise;
}

/** The integers that an attribute has, or an input in later opsets (axes of Unsqueeze, Squeeze, ReduceMean). */
export function integersOf(step: Step, attribute: string, input: number): readonly number[] | undefined {
  const value: OnnxAttribute | undefined = step.node.attributes.get(attribute);
  if (value?.kind === 'integers') return value.integers;
  const given = step.inputs[input]?.value;
  return given?.kind === 'constant' ? given.numbers : undefined;
}

/** The number of a constant of one element. */
export function numberOf(value: Value | undefined): number | undefined {
  if (value?.kind === 'constant') return value.numbers?.length === 1 ? value.numbers[0] : undefined;
  if (value?.kind === 'numbers') return value.elements?.length === 1 ? value.elements[0] : undefined;
  return undefined;
}

/** Whether a number is `wanted` up to the rounding of float16 or of an 8-bit code. */
export function isAbout(number: number | undefined, wanted: number): boolean {
  return number !== undefined && Math.abs(number - wanted) <= 2e-3 * Math.abs(wanted);
}

/** Whether a constant is a vector, or a matrix of one row, of so many elements. */
export function isVector({ tensor }: Constant, length?: number): boolean {
  const rows = tensor.shape.slice(0, -1);
  const last = tensor.shape.at(-1);
  return last !== undefined && rows.every((size) => size === 1) && (length === undefined || last === length);
}

/** The shape of a constant as the graph uses it. */
export function shapeOf({ tensor, transposed, columns }: Constant): readonly number[] {
  const shape = columns === undefined ? tensor.shape : [tensor.shape[0], columns[1] - columns[0]];
  return transposed ? [...shape].reverse() : shape;
}

/** The two inputs in the order in which `isFirst` is true of the first. */
export function inOrder(
  { inputs }: Step,
  isFirst: (value: Value) => boolean,
): readonly [first: Entry, second: Entry] | undefined {
  const [a, b] = inputs;
  if (a === undefined || b === undefined) return undefined;
  if (isFirst(a.value)) return [a, b];
  return isFirst(b.value) ? [b, a] : undefined;
}

/** The same for the inputs of an operation that was seen before. */
export function ordered(
  inputs: readonly Value[],
  isFirst: (value: Value) => boolean,
): readonly [first: Value, second: Value] | undefined {
  const [a, b] = inputs;
  if (inputs.length !== 2) return undefined;
  if (isFirst(a)) return [a, b];
  return isFirst(b) ? [b, a] : undefined;
}
