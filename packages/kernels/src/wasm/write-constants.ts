import { GELU_COEFFICIENTS, TANH_COEFFICIENTS } from '../reference/activate.js';
import { EXP_COEFFICIENTS, EXP_LIMIT, ROUNDING_MAGIC } from '../reference/exp.js';
import { CONSTANTS } from './layout.js';

/** The numbers of each constant, one for each of its vectors. */
const VALUES: Readonly<Record<keyof typeof CONSTANTS.fields, readonly number[]>> = {
  log2E: [Math.LOG2E],
  expC: EXP_COEFFICIENTS,
  magic: [ROUNDING_MAGIC],
  tMax: [EXP_LIMIT],
  tMin: [-EXP_LIMIT],
  one: [1],
  geluP: GELU_COEFFICIENTS,
  half: [0.5],
  tanhScale: [TANH_COEFFICIENTS[0]],
  tanhCube: [TANH_COEFFICIENTS[1]],
  absMask: [0x7fffffff],
  low16: [0xffff],
  even16: [1],
  float64High: [0x43300000],
  high8: [0xff00ff00],
  float64Offset: [2 ** 52 + 2 ** 31],
};

/** Writes CONSTANTS, each number in all lanes of its vector. */
export function writeConstants(buffer: ArrayBufferLike): void {
  const view = new DataView(buffer);
  for (const [name, values] of Object.entries(VALUES)) {
    const { at, type } = CONSTANTS.fields[name as keyof typeof VALUES];
    const vector = typeof type === 'string' ? type : type[0];
    for (const [index, value] of values.entries()) writeVector(view, at + 16 * index, vector, value);
  }
}

function writeVector(view: DataView, at: number, type: 'f32x4' | 'i32x4' | 'f64x2', value: number) {
  if (type === 'f64x2') {
    for (let lane = 0; lane < 2; lane++) view.setFloat64(at + 8 * lane, value, true);
    return;
  }
  for (let lane = 0; lane < 4; lane++) {
    if (type === 'f32x4') view.setFloat32(at + 4 * lane, value, true);
    else view.setInt32(at + 4 * lane, value, true);
  }
}
