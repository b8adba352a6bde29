import type { CsrMatrix } from '@prune/core';
import { gapTables, ROW_CLASSES, SCALE, STRIDE } from './gap-tables.js';
import {
  COLUMN_GROUP,
  DATA,
  GAP_AT,
  GAP_REACH,
  GAPS_BELOW,
  INDICES,
  INDPTR,
  MASK_LANE_BYTES,
  MASK_LANES,
  MAX_COLUMNS,
  MAX_NONZEROS,
  MAX_ROWS,
  ROW_CLASS,
  ROW_GROUP,
  SLOT_OF,
  VALUE_TABLES,
  WORD_BYTES,
  WORDS,
} from './loops/layout.js';
import { type WasmLoops, wasmLoops } from './loops/wasm-loops.js';
import { escapesOf } from './mask-decoder.js';
import type { MaskShape } from './mask-encoder.js';
import type { ContextMap } from './value-coder.js';

/** What the head of a matrix says, ready to decode its blocks. */
export interface MatrixModel {
  readonly shape: MaskShape;
  readonly map: ContextMap;
  /** The tables of `valueTables`. */
  readonly valueTables: Int32Array;
}

/** A block of rows with its bytes. */
export interface CodedBlock {
  readonly from: number;
  readonly to: number;
  readonly nnz: number;
  readonly mask: Uint8Array;
  readonly values: Uint8Array;
}

/** The words of a block without rows: a coder's least state. */
const NO_ROWS: CodedBlock = {
  from: 0,
  to: 0,
  nnz: 0,
  mask: Uint8Array.of(0, 0, 0, 0x80),
  values: Uint8Array.of(0, 0, 0, 0x80, 0, 0, 0, 0x80),
};

/** Decodes pairs of blocks of a matrix with WebAssembly. */
export class WasmPairs {
  private constructor(
    private readonly model: MatrixModel,
    private readonly loops: WasmLoops,
  ) {}

  /** `undefined` where there is no WebAssembly, or no room for the matrix. */
  static open(model: MatrixModel): WasmPairs | undefined {
    if (model.shape.slotOf.length - 1 > MAX_COLUMNS) return undefined;
    const loops = wasmLoops();
    return loops && new WasmPairs(model, loops);
  }

  /**
   * Decodes a block, or two that follow each other, into `target`, from its row `row` and its nonzero `nonzero` on.
   * `false` for damaged bytes, and for blocks that there is no room for.
   */
  decode(one: CodedBlock, two: CodedBlock | undefined, target: CsrMatrix, row: number, nonzero: number): boolean {
    const blocks = [one, two ?? { ...NO_ROWS, from: one.to, to: one.to }] as const;
    const rows = blocks[1].to - one.from;
    const nnz = one.nnz + blocks[1].nnz;
    const words = blocks[0].mask.length + blocks[1].mask.length;
    const isTooLarge = ({ values }: CodedBlock) => values.length > WORD_BYTES;
    if (rows > MAX_ROWS || nnz > MAX_NONZEROS || words > WORD_BYTES || blocks.some(isTooLarge)) return false;
    if (blocks.some(({ mask, values }) => mask.length < 4 || values.length < 8)) return false;
    this.prepare();
    return this.decodeMasks(blocks, rows) && this.decodeValues(blocks) && this.copyOut(rows, nnz, target, row, nonzero);
  }

  /** Puts the model into the memory, where another one may be. */
  private prepare(): void {
    const { loops, model } = this;
    if (loops.matrixOwner === this) return;
    const { memory } = loops;
    if (loops.matrixOwner === undefined) {
      const { below, gapAt, reach } = gapTables();
      new Uint16Array(memory, GAPS_BELOW, ROW_CLASSES * STRIDE).set(below);
      new Uint16Array(memory, GAP_AT, ROW_CLASSES * SCALE).set(gapAt);
      new Int32Array(memory, GAP_REACH, ROW_CLASSES).set(reach);
    }
    const { shape, map, valueTables } = model;
    new Int32Array(memory, SLOT_OF, shape.slotOf.length).set(shape.slotOf);
    loops.fillColumns(shape.slotOf.length - 1);
    new Int32Array(memory, VALUE_TABLES, valueTables.length).set(valueTables);
    new Uint8Array(memory, COLUMN_GROUP, map.columnGroup.length).set(map.columnGroup);
    loops.matrixOwner = this;
  }

  /** Writes row pointers and columns of the pair into the memory. */
  private decodeMasks(blocks: readonly [CodedBlock, CodedBlock], rows: number): boolean {
    const { loops, model } = this;
    const { slotOf, rowClass } = model.shape;
    const { memory } = loops;
    const slots = slotOf[slotOf.length - 1];
    const first = blocks[0].from;
    new Uint8Array(memory, ROW_CLASS, rows).set(rowClass.subarray(first, first + rows));
    let nonzero = 0;
    let at = WORDS;
    blocks.forEach(({ from, to, nnz, mask }, i) => {
      new Uint8Array(memory, at, mask.length).set(mask);
      const escapes = escapesOf(to - from, nnz, slots);
      new Uint32Array(memory, MASK_LANES + i * MASK_LANE_BYTES, 7).set([
        from - first,
        to - first,
        nonzero,
        nonzero + nnz,
        escapes,
        at,
        at + mask.length,
      ]);
      nonzero += nnz;
      at += mask.length;
    });
    new Int32Array(memory, INDPTR, 1)[0] = 0;
    return loops.decodeMasks(slots) === 0;
  }

  /** Writes the values, whose rows and columns are there. */
  private decodeValues(blocks: readonly CodedBlock[]): boolean {
    const { loops, model } = this;
    const { groups, rowGroup } = model.map;
    const first = blocks[0].from;
    let nonzero = 0;
    return blocks.every(({ from, to, nnz, values }) => {
      new Uint8Array(loops.memory, WORDS, values.length).set(values);
      const end = WORDS + values.length;
      const start = nonzero;
      nonzero += nnz;
      if (groups === 1) return loops.decodeValues(start, nonzero, WORDS, end) === 0;
      new Uint8Array(loops.memory, ROW_GROUP + from - first, to - from).set(rowGroup.subarray(from, to));
      return loops.decodeContextValues(from - first, to - first, groups, WORDS, end) === 0;
    });
  }

  private copyOut(rows: number, nnz: number, target: CsrMatrix, row: number, nonzero: number): true {
    const { memory } = this.loops;
    const { indptr, indices, data } = target;
    const pointers = new Int32Array(memory, INDPTR, rows + 1);
    for (let r = 1; r <= rows; r++) indptr[row + r] = pointers[r] + nonzero;
    indices.set(new Uint16Array(memory, INDICES, nnz), nonzero);
    data.set(new Int8Array(memory, DATA, nnz), nonzero);
    return true;
  }
}
