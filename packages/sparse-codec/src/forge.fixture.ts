import { BinaryDecoder, BinaryEncoder } from './binary-coder.js';
import { decodeClasses, encodeClasses } from './class-coder.js';
import { COLUMN_WEIGHTS } from './column-weights.js';
import { FORMS, type Preset } from './encode-csr.js';
import { ROW_CLASSES } from './gap-tables.js';
import { joined } from './joined.js';
import { RansEncoder } from './rans-encoder.js';
import { NO_CONTEXTS, readContexts, type ValueContexts, writeContexts } from './value-contexts.js';
import { readLevels, writeLevels } from './value-table.js';
import { ByteReader } from './varint.js';

/** What a modelled matrix says, field by field, true or not. */
export interface MatrixFields {
  readonly form: Preset;
  readonly rows: number;
  readonly columns: number;
  readonly nnz: number;
  readonly columnClass: Uint8Array;
  readonly rowClass: Uint8Array;
  readonly levels: Uint16Array;
  readonly contexts?: ValueContexts;
  readonly blocks: readonly ForgedBlock[];
}

/** A block as its matrix declares it. */
export interface ForgedBlock {
  readonly rows: number;
  readonly nnz: number;
  readonly mask: Uint8Array;
  readonly values: Uint8Array;
}

/** The words of a coder that coded nothing, as a block without nonzeros has them. */
export const NO_MASK = new RansEncoder(12).finish(1);
export const NO_VALUES = new RansEncoder(13).finish(2);

/** The bytes of a matrix (SPEC.md) that says just these fields: what an honest encoder would never write. */
export function forgeMatrix(fields: MatrixFields): Uint8Array {
  const { form, rows, columns, nnz, blocks } = fields;
  const model = new BinaryEncoder();
  const classWords = encodeClasses(model, [fields.columnClass, fields.rowClass]);
  writeLevels(model, fields.levels);
  if (form === 'max') writeContexts(model, fields.contexts ?? NO_CONTEXTS);
  const modelBytes = model.finish();
  const head = [FORMS[form], rows, columns, nnz, modelBytes.length, classWords.length / 2, blocks.length];
  for (const block of blocks) head.push(block.rows, block.nnz, block.mask.length / 2, block.values.length / 2);
  return joined(head, [modelBytes, classWords, ...blocks.flatMap(({ mask, values }) => [mask, values])]);
}

/** The fields of a matrix that `encodeCsr` made with a model. */
export function readFields(bytes: Uint8Array): MatrixFields {
  const reader = new ByteReader(bytes);
  const number = () => reader.varint('number', 2 ** 31);
  const form = reader.byte() === FORMS.max ? 'max' : 'fast';
  const [rows, columns, nnz, modelBytes, classWords, count] = [
    number(),
    number(),
    number(),
    number(),
    number(),
    number(),
  ];
  const heads = Array.from({ length: count }, () => ({
    rows: number(),
    nnz: number(),
    maskWords: number(),
    valueWords: number(),
  }));
  const coder = new BinaryDecoder(reader.take('tables', modelBytes));
  const [columnClass, rowClass] = decodeClasses(coder, reader.take('classes', 2 * classWords), [
    { length: columns, count: COLUMN_WEIGHTS.length },
    { length: rows, count: ROW_CLASSES + 1 },
  ]);
  const levels = readLevels(coder, 128);
  const contexts = form === 'max' ? readContexts(coder) : NO_CONTEXTS;
  const blocks = heads.map(({ rows, nnz, maskWords, valueWords }) => ({
    rows,
    nnz,
    mask: reader.take('mask', 2 * maskWords),
    values: reader.take('values', 2 * valueWords),
  }));
  return { form, rows, columns, nnz, columnClass, rowClass, levels, contexts, blocks };
}
