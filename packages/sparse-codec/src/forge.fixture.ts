import { BinaryEncoder } from './binary-coder.js';
import { encodeClasses } from './class-coder.js';
import { FORMS, type Preset } from './encode-csr.js';
import { joined } from './joined.js';
import { RansEncoder } from './rans-encoder.js';
import { NO_CONTEXTS, type ValueContexts, writeContexts } from './value-contexts.js';
import { writeLevels } from './value-table.js';

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
