import { type CodecGroup, DTYPES, type Dtype, type NamedInfo, type TensorData } from '@prune/core';
import { corrupt } from '../corrupt.js';
import { encodeGridForm, openGridForm } from './grid-form.js';
import { encodePlanesForm, openPlanesForm } from './planes-form.js';
import { FORMS } from './row-form.js';
import { LEAST_ROWS, type Table } from './table.js';

const FLOATS: readonly Dtype[] = ['float32', 'float16', 'bfloat16'];

/** A table of floats is a block of its own. */
export function floatsGroup({ name, dtype, shape }: NamedInfo): CodecGroup | undefined {
  const isTable = FLOATS.includes(dtype) && shape.length === 2 && shape[0] >= LEAST_ROWS && shape[1] > 0;
  return isTable ? { key: name, size: 1 } : undefined;
}

/** A table of floats: on a grid, or by planes of its bytes. */
export function floatsTable(infos: readonly NamedInfo[]): Table | undefined {
  if (infos.length !== 1 || floatsGroup(infos[0]) === undefined) return undefined;
  const { dtype, shape } = infos[0];
  const [rows, width] = shape;
  return {
    rows,
    rowBytes: width * DTYPES[dtype].bytes,
    arrays: [{ tensor: 0, width }],
    async fit([{ data }], pacer) {
      const grid = dtype === 'float32' ? await encodeGridForm(data as Float32Array, rows, width, pacer) : undefined;
      return grid ?? encodePlanesForm(data as TensorData, dtype, rows, width, pacer);
    },
    open(form, source) {
      if (form === FORMS.grid && dtype === 'float32') return openGridForm(source, width);
      if (form === FORMS.planes) return openPlanesForm(source, width, dtype);
      throw corrupt('form of rows', `${form} for ${dtype}`, 'planes, or a grid for float32');
    },
  };
}
