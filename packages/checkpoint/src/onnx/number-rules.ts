import { integerAttribute, integersOf, numberOf, type Rule, type Step } from './rule.js';
import type { Constant, Dimension, Entry, Numbers, Value } from './values.js';

/** Vectors of at most this many elements are followed: a shape has at most five. */
const MOST_ELEMENTS = 16;

/** Operators that may compute shapes, positions and masks from the inputs. None of them sees a weight. */
const NUMBER_OPS: ReadonlySet<string> = new Set(
  [
    'Abs Add And Cast CastLike Clip Concat ConstantOfShape CumSum Div Equal Expand Flatten Gather GatherElements',
    'GatherND Greater GreaterOrEqual Identity IsInf IsNaN Less LessOrEqual Max Min Mod Mul Neg NonZero Not Or Pow',
    'Range Reciprocal ReduceMax ReduceMin ReduceProd ReduceSum Reshape ScatterND Shape Size Slice Split Sqrt Squeeze',
    'Sub Tile Transpose Trilu Unsqueeze Where Xor',
  ].flatMap((line) => line.split(' ')),
);

const COMPARISONS = new Set(['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']);
/** Operators that leave every element what it was, or repeat it. */
const KEEPS_PATTERN = new Set(['Cast', 'Expand', 'Identity', 'Reshape', 'Slice', 'Squeeze', 'Tile', 'Unsqueeze']);

/** A graph input. */
export function inputNumbers(name: string): Numbers {
  return { kind: 'numbers', input: name, masked: /mask/i.test(name), causal: false, counted: false };
}

/** What a constant is among numbers. */
export function constantNumbers({ tensor, numbers }: Constant): Numbers {
  const few = numbers !== undefined && numbers.length <= MOST_ELEMENTS;
  return {
    kind: 'numbers',
    ...(few && { elements: numbers }),
    ...(numbers !== undefined && { pattern: patternOf(numbers, tensor.shape.at(-1) ?? 1) }),
    masked: false,
    causal: false,
    counted: false,
  };
}

function patternOf(numbers: readonly number[], last: number): Numbers['pattern'] {
  if (numbers.length === 0) return undefined;
  if (numbers.every((number) => number === 0)) return 'zeros';
  return numbers.every((number, i) => number === i % last) ? 'counting' : undefined;
}

/** The shape of a value, as numbers. */
export const shapeRule: Rule = ({ node, inputs }) => {
  if (node.op !== 'Shape') return undefined;
  const whole = inputs[0]?.shape;
  const begin = integerAttribute(node, 'start', 0);
  const end = integerAttribute(node, 'end', whole?.length ?? 0);
  const length = whole === undefined && begin >= 0 && end <= MOST_ELEMENTS ? end - begin : 0;
  const elements = whole?.slice(begin, end) ?? (length > 0 ? Array.from({ length }, () => undefined) : undefined);
  return { value: { ...plain(), ...(elements && { elements }) }, shape: [elements?.length] };
};

/** What is computed without any weight. */
export const numbersRule: Rule = (step) => {
  const { node, inputs } = step;
  if (!NUMBER_OPS.has(node.op)) return undefined;
  const values: Numbers[] = [];
  for (const input of inputs) {
    if (input === undefined) continue;
    const { value } = input;
    if (value.kind === 'constant') values.push(constantNumbers(value));
    else if (value.kind === 'numbers') values.push(value);
    else return undefined;
  }
  const [first] = values;
  const elements = elementsOf(step, values);
  const value: Numbers = {
    kind: 'numbers',
    ...(node.op === 'Identity' || node.op === 'Cast' ? { input: first?.input } : {}),
    ...(elements !== undefined && elements.length <= MOST_ELEMENTS && { elements }),
    pattern: patternAfter(step, values),
    masked: values.some(({ masked }) => masked),
    causal: node.op === 'Trilu' || values.some(({ causal }) => causal) || comparesPositions(node.op, values),
    counted: node.op === 'CumSum' || values.some(({ counted }) => counted),
    padding: paddingOf(node.op, values),
    offset: offsetOf(node.op, values),
  };
  const shape = shapeAfter(step);
  return node.outputs.map(() => ({ value, shape }));
};

function plain(): Numbers {
  return { kind: 'numbers', masked: false, causal: false, counted: false };
}

function comparesPositions(op: string, values: readonly Numbers[]): boolean {
  return COMPARISONS.has(op) && values.length === 2 && values.every(({ elements }) => elements?.length !== 1);
}

function paddingOf(op: string, values: readonly Numbers[]): number | undefined {
  if (op === 'Equal') {
    const token = values.find(({ input }) => input === undefined)?.elements;
    if (values.some(({ input }) => input !== undefined) && token?.length === 1) return token[0];
  }
  return values.find(({ padding }) => padding !== undefined)?.padding;
}

function offsetOf(op: string, values: readonly Numbers[]): number | undefined {
  const counted = values.find((value) => value.counted);
  if (counted === undefined || op !== 'Add') return counted?.offset;
  const added = values.find((value) => value !== counted)?.elements;
  return added?.length === 1 && added[0] !== undefined ? (counted.offset ?? 0) + added[0] : counted.offset;
}

function patternAfter(step: Step, values: readonly Numbers[]): Numbers['pattern'] {
  const { op } = step.node;
  const pattern = values[0]?.pattern;
  if (op === 'Range') {
    const [start, , delta] = step.inputs.map((input) => numberOf(input?.value));
    return start === 0 && delta === 1 ? 'counting' : undefined;
  }
  if (op === 'ConstantOfShape') {
    const value = step.node.attributes.get('value');
    const zero = value === undefined || (value.kind === 'tensor' && isZero(step));
    return zero ? 'zeros' : undefined;
  }
  if (op === 'GatherElements' || op === 'Gather') return pattern === 'zeros' ? 'zeros' : undefined;
  if (op === 'Add' && values.length === 2) {
    // Positions that begin at a past length of 0.
    const counting = values.find((value) => value.pattern === 'counting');
    return counting && values.some((value) => value !== counting && value.pattern === 'zeros') ? 'counting' : undefined;
  }
  if (!KEEPS_PATTERN.has(op)) return undefined;
  if (op === 'Slice' && pattern === 'counting') {
    const starts = integersOf(step, 'starts', 1);
    return starts?.every((start) => start === 0) || isZeros(step.inputs[1]?.value) ? pattern : undefined;
  }
  return pattern;
}

function isZeros(value: Value | undefined): boolean {
  return value?.kind === 'numbers' && value.elements !== undefined && value.elements.every((element) => element === 0);
}

/** Whether the value that a ConstantOfShape repeats is 0; the evaluator hands its elements over as a second input. */
function isZero({ inputs }: Step): boolean {
  return numberOf(inputs[1]?.value) === 0;
}

/** The elements of a short vector, where the operator is one that computes shapes or the factor of attention. */
function elementsOf(step: Step, values: readonly Numbers[]): readonly Dimension[] | undefined {
  const { op } = step.node;
  const [first, second] = values;
  const elements = first?.elements;
  switch (op) {
    case 'Cast':
    case 'CastLike':
    case 'Identity':
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
      // A scalar and a vector of one element count as one.
      return elements ?? (isScalar(step.inputs[0]) ? [undefined] : undefined);
    case 'Concat':
      return concatenated(step, values);
    case 'Gather':
      return gathered(elements, second?.elements);
    case 'Slice':
      return sliced(step, elements);
    case 'Sqrt':
      return elements?.map((value) => (value === undefined ? undefined : Math.sqrt(value)));
    case 'Reciprocal':
      return elements?.map((value) => (value === undefined ? undefined : 1 / value));
    case 'Add':
      return combined(elements, second?.elements, (a, b) => a + b);
    case 'Sub':
      return combined(elements, second?.elements, (a, b) => a - b);
    case 'Mul':
      return combined(elements, second?.elements, (a, b) => a * b);
    case 'Pow':
      return combined(elements, second?.elements, (a, b) => a ** b);
    case 'Div':
      return combined(elements, second?.elements, (a, b) => a / b);
    case 'Where':
      // The usual guard of an Expand's shape: `-1` becomes 1.
      return values[1]?.elements?.map(() => undefined);
    default:
      return undefined;
  }
}

function isScalar(entry: Entry | undefined): boolean {
  return entry?.shape?.every((size) => size === 1) ?? false;
}

function concatenated({ inputs }: Step, values: readonly Numbers[]): readonly Dimension[] | undefined {
  const all: Dimension[] = [];
  for (const [i, { elements }] of values.entries()) {
    const known = elements ?? (isScalar(inputs[i]) ? [undefined] : undefined);
    if (known === undefined || all.length + known.length > MOST_ELEMENTS) return undefined;
    all.push(...known);
  }
  return all;
}

function gathered(
  elements: readonly Dimension[] | undefined,
  indices: readonly Dimension[] | undefined,
): readonly Dimension[] | undefined {
  if (elements === undefined) return indices?.length === 1 ? [undefined] : undefined;
  return indices?.map((index) => (index === undefined ? undefined : elements.at(index)));
}

function sliced(step: Step, elements: readonly Dimension[] | undefined): readonly Dimension[] | undefined {
  const begin = integersOf(step, 'starts', 1);
  const end = integersOf(step, 'ends', 2);
  const steps = integersOf(step, 'steps', 4);
  if (begin?.length !== 1 || end?.length !== 1 || (steps !== undefined && steps[0] !== 1)) return undefined;
  return elements?.slice(begin[0], end[0]);
}

function combined(
  left: readonly Dimension[] | undefined,
  right: readonly Dimension[] | undefined,
  combine: (a: number, b: number) => number,
): readonly Dimension[] | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (left.length !== right.length && left.length !== 1 && right.length !== 1) return undefined;
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const [a, b] = [left[left.length === 1 ? 0 : i], right[right.length === 1 ? 0 : i]];
    return a === undefined || b === undefined ? undefined : combine(a, b);
  });
}

/** The shape after the few operators through which a scalar of a shape goes. */
function shapeAfter(step: Step): readonly Dimension[] | undefined {
  const { op } = step.node;
  const shape = step.inputs[0]?.shape;
  if (op === 'Gather') return shape?.length === 1 ? step.inputs[1]?.shape : undefined;
  if (op === 'Unsqueeze') {
    const axes = integersOf(step, 'axes', 1);
    return shape?.length === 0 && axes?.length === 1 ? [1] : undefined;
  }
  if (op === 'Cast' || op === 'Identity' || op === 'Sqrt' || op === 'Reciprocal') return shape;
  if (op === 'Squeeze') return shape?.length === 1 && shape[0] === 1 ? [] : undefined;
  if (['Add', 'Sub', 'Mul', 'Div'].includes(op)) {
    const other = step.inputs[1]?.shape;
    return shape && other && (shape.length >= other.length ? shape : other);
  }
  if (op === 'Reshape') {
    const target = integersOf(step, 'shape', 1);
    return target !== undefined && target.length <= 1 && isScalar(step.inputs[0]) ? target.map(() => 1) : undefined;
  }
  return undefined;
}
