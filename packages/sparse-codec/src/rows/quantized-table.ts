import type { CodecGroup, NamedInfo } from '@prune/core';
import { corrupt } from '../corrupt.js';
import { isPart, partOf, TABLE_PARTS, tableWidth } from '../table-parts.js';
import { encodeQuantizedForm, openQuantizedForm } from './quantized-form.js';
import { FORMS } from './row-form.js';
import type { Table } from './table.js';

/** The three tensors of a quantized embedding table share a block, as in codec `entropy`. */
export function quantizedGroup({ name, dtype }: NamedInfo): CodecGroup | undefined {
  const part = TABLE_PARTS.find((part) => isPart({ name, dtype }, part));
  if (part === undefined) return undefined;
  return { key: `${name.slice(0, -part.ending.length)}${TABLE_PARTS[0].ending}`, size: TABLE_PARTS.length };
}

/** A quantized embedding table: codes of 8 bits, or two of 4 bits a byte, with a scale and a zero point a row. */
export function quantizedTable(infos: readonly NamedInfo[]): Table | undefined {
  const isWhole = TABLE_PARTS.every((part) => infos.some((info) => isPart(info, part)));
  if (infos.length !== TABLE_PARTS.length || !isWhole) return undefined;
  const parts = TABLE_PARTS.map((part) => partOf(infos, part));
  const [scale, zeroPoint, intRepr] = parts;
  const width = tableWidth(scale, zeroPoint, intRepr);
  if (width === undefined) return undefined;
  const [rows] = scale.shape;
  return {
    rows,
    rowBytes: 4 + 4 + width,
    arrays: [1, 1, width].map((own, i) => ({ tensor: infos.indexOf(parts[i]), width: own })),
    async fit(tensors, pacer) {
      const [scale, zeroPoint, intRepr] = TABLE_PARTS.map((part) => partOf(tensors, part).data);
      const table = {
        scale: scale as Float32Array,
        zeroPoint: zeroPoint as Float32Array,
        intRepr: intRepr as Uint8Array,
      };
      return encodeQuantizedForm(table, rows, width, pacer);
    },
    open(form, source) {
      if (form !== FORMS.quantized) throw corrupt('form of rows', form, `${FORMS.quantized} for a quantized table`);
      return openQuantizedForm(source, width);
    },
  };
}
