import { type CsrMatrix, csrFault, PruneError } from '@prune/core';
import { BinaryEncoder } from './binary-coder.js';
import { encodeClasses } from './class-coder.js';
import { COLUMN_WEIGHTS } from './column-weights.js';
import { decodedBytes, MAX_EXPANSION, MAX_ROWS, type MatrixSize } from './expansion.js';
import { fitMask } from './fit-mask.js';
import { gapTables, ROW_CLASSES } from './gap-tables.js';
import { joined } from './joined.js';
import { encodeMask } from './mask-encoder.js';
import { writePlain } from './plain.js';
import { type ContextMap, encodeValues } from './value-coder.js';
import {
  contextFrequencies,
  fitContexts,
  GROUPS,
  groupsOf,
  NO_CONTEXTS,
  startsOf,
  type ValueContexts,
  writeContexts,
} from './value-contexts.js';
import { magnitudeLevels, writeLevels } from './value-table.js';
import { pushVarint } from './varint.js';

/** `fast` opens quickly; `max` is smallest. */
export type Preset = 'fast' | 'max';

export interface EncodeOptions {
  readonly preset?: Preset;
}

export const DEFAULT_PRESET: Preset = 'fast';

/** First byte of a stream. */
export const FORMS = { plain: 0, fast: 1, max: 2 } as const;

/** Columns past this are coded plainly: their indices need 32 bits, and no linear layer of a BERT is that wide. */
export const MAX_COLUMNS = 65_535;

/** Nonzeros a block, about: a block costs 18 bytes (0.1 % of a `fast` one), and is the least that can be decoded alone. */
const BLOCK_NONZEROS = { fast: 16_384, max: 65_536 } as const;

/**
 * A sparse int8 matrix `[rows, columns]` as bytes (SPEC.md). Equal matrices give equal bytes on every machine.
 * Throws `mismatch` for arrays that are no CSR matrix, `invalid-argument` for an unknown preset.
 */
export function encodeCsr(csr: CsrMatrix, options: EncodeOptions = {}): Uint8Array {
  const preset = checkPreset(options.preset ?? DEFAULT_PRESET);
  const fault = csrFault(csr, { anyIndices: true });
  if (fault !== undefined) {
    const { what, got, wanted } = fault;
    throw new PruneError('mismatch', { where: 'sparse-codec', what, got, wanted });
  }
  const steps = encodeWithinExpansion(csr, preset);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value ?? encodePlain(csr);
}

/** Returns a known preset. Throws `invalid-argument` for any other. */
export function checkPreset(preset: Preset): Preset {
  if (preset === 'fast' || preset === 'max') return preset;
  throw new PruneError('invalid-argument', {
    where: 'sparse-codec',
    what: 'unknown preset',
    got: String(preset),
    wanted: 'fast or max',
  });
}

/**
 * A checked matrix as bytes, or `undefined` where the form that takes least would expand beyond `MAX_EXPANSION`: many
 * rows with hardly any nonzeros, which the plain form would give a byte each. Yields before each pass over the matrix
 * and each of its blocks, where a caller may return to the event loop.
 */
export function* encodeWithinExpansion(csr: CsrMatrix, preset: Preset): Generator<undefined, Uint8Array | undefined> {
  const { shape, data } = csr;
  const [rows, columns] = shape;
  const nnz = data.length;
  if (rows > MAX_ROWS || columns > MAX_COLUMNS || nnz === 0) return encodePlain(csr);
  const modelled = yield* encodeModelled(csr, preset);
  if (modelled.length >= 2 * nnz) {
    const plain = encodePlain(csr);
    if (plain.length < modelled.length) return plain;
  }
  return expands({ rows, columns, nnz, groups: 1 }, modelled) ? undefined : modelled;
}

function expands(size: MatrixSize, bytes: Uint8Array): boolean {
  return decodedBytes(size) > MAX_EXPANSION * bytes.length;
}

function encodePlain(csr: CsrMatrix): Uint8Array {
  const plain: number[] = [FORMS.plain];
  for (const n of [...csr.shape, csr.data.length]) pushVarint(plain, n);
  writePlain(plain, csr);
  return Uint8Array.from(plain);
}

function* encodeModelled(
  csr: CsrMatrix,
  preset: Preset,
  withContexts = preset === 'max',
): Generator<undefined, Uint8Array> {
  const tables = gapTables();
  const [rows, columns] = csr.shape;
  const { indptr, indices, data } = csr;
  const nnz = data.length;

  const rowCounts = Int32Array.from({ length: rows }, (_, r) => indptr[r + 1] - indptr[r]);
  yield;
  const columnCounts = countColumns(indices, columns);
  yield;
  const magnitudes = countMagnitudes(data);
  yield;
  const { columnClass, rowClass } = fitMask(tables, rowCounts, columnCounts, nnz);
  const levels = magnitudeLevels(magnitudes);
  yield;
  const contexts = withContexts ? contextsOf(csr, levels, rowClass, columnClass) : NO_CONTEXTS;
  const model = new BinaryEncoder();
  const classWords = encodeClasses(model, [columnClass, rowClass]);
  writeLevels(model, levels);
  if (preset === 'max') writeContexts(model, contexts);
  const modelBytes = model.finish();

  const slotOf = slotStarts(columnClass);
  const frequency = contextFrequencies(levels, contexts);
  const map = contextMap(contexts, rowClass, columnClass);
  const payload: Uint8Array[] = [modelBytes, classWords];
  const blocks = splitRows(indptr, nnz, BLOCK_NONZEROS[preset]);
  const head = [FORMS[preset], rows, columns, nnz, modelBytes.length, classWords.length / 2, blocks.length];
  let from = 0;
  for (const to of blocks) {
    yield;
    const mask = encodeMask(tables, { slotOf, rowClass }, csr, from, to);
    const values = encodeValues(frequency, map, { indptr, indices, data, from, to });
    head.push(to - from, indptr[to] - indptr[from], mask.length / 2, values.length / 2);
    payload.push(mask, values);
    from = to;
  }
  const bytes = joined(head, payload);
  // The tables of contexts may be too much for a small matrix, which they hardly help.
  const tooMany = contexts.groups > 1 && expands({ rows, columns, nnz, groups: contexts.groups }, bytes);
  return tooMany ? yield* encodeModelled(csr, preset, false) : bytes;
}

function countColumns(indices: Uint16Array | Int32Array, columns: number): Int32Array {
  const counts = new Int32Array(columns);
  for (let p = 0; p < indices.length; p++) counts[indices[p]]++;
  return counts;
}

/** How often each magnitude 1 .. 128 occurs. */
function countMagnitudes(data: Int8Array): Int32Array {
  const counts = new Int32Array(128);
  for (let p = 0; p < data.length; p++) counts[Math.abs(data[p]) - 1]++;
  return counts;
}

/** `[columns + 1]` the first slot of each column; the last entry is the number of slots. */
export function slotStarts(columnClass: Uint8Array): Int32Array {
  const starts = new Int32Array(columnClass.length + 1);
  for (let c = 0; c < columnClass.length; c++) starts[c + 1] = starts[c] + COLUMN_WEIGHTS[columnClass[c]];
  return starts;
}

/** The groups of rows and columns, from their classes. */
export function contextMap(contexts: ValueContexts, rowClass: Uint8Array, columnClass: Uint8Array): ContextMap {
  return {
    groups: contexts.groups,
    rowGroup: groupsOf(contexts.rowStarts, rowClass),
    columnGroup: groupsOf(contexts.columnStarts, columnClass),
  };
}

function contextsOf(csr: CsrMatrix, levels: Uint16Array, rowClass: Uint8Array, columnClass: Uint8Array): ValueContexts {
  const { indptr, indices, data } = csr;
  const inRows = new Int32Array(ROW_CLASSES + 1);
  const inColumns = new Int32Array(COLUMN_WEIGHTS.length);
  for (let r = 0; r < rowClass.length; r++) inRows[rowClass[r]] += indptr[r + 1] - indptr[r];
  for (let p = 0; p < data.length; p++) inColumns[columnClass[indices[p]]]++;
  const rowStarts = startsOf(inRows);
  const columnStarts = startsOf(inColumns);
  const { rowGroup, columnGroup } = contextMap(
    { groups: GROUPS, rowStarts, columnStarts, tilts: [] },
    rowClass,
    columnClass,
  );
  const counts = Array.from({ length: GROUPS * GROUPS }, () => new Int32Array(128));
  for (let r = 0; r < rowClass.length; r++) {
    for (let p = indptr[r]; p < indptr[r + 1]; p++) {
      counts[rowGroup[r] * GROUPS + columnGroup[indices[p]]][Math.abs(data[p]) - 1]++;
    }
  }
  return fitContexts(levels, rowStarts, columnStarts, counts);
}

/** The row at which each block ends: blocks of about equal nonzeros, an even number of them, so that they decode in pairs. */
function splitRows(indptr: Int32Array, nnz: number, size: number): number[] {
  const rows = indptr.length - 1;
  const pairs = Math.round(nnz / (2 * size));
  const wanted = pairs > 0 ? 2 * pairs : nnz > size / 4 ? 2 : 1;
  const ends: number[] = [];
  for (let r = 1; r < rows; r++) {
    if (indptr[r] * wanted >= nnz * (ends.length + 1) && ends.length < wanted - 1) ends.push(r);
  }
  ends.push(rows);
  return ends;
}
