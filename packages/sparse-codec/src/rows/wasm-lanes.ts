import { corrupt } from '../corrupt.js';
import {
  JOINED,
  LANE_AT,
  LANE_STATE,
  LANE_TABLE,
  MAX_TABLES,
  MAX_WIDTH,
  MEANS,
  ROW_OUT_BYTES,
  ROWS_OUT,
  TABLE_SLOTS,
  TABLE_SYMBOLS,
  VALUES,
  WORD_BYTES,
  WORDS,
} from '../loops/layout.js';
import { type WasmLoops, wasmLoops } from '../loops/wasm-loops.js';
import { LANES, Lanes } from './lanes.js';
import { SLOTS, type SlotTables } from './slot-tables.js';

/**
 * Lanes whose loops are WebAssembly: three times as fast. Their bytes are copied into the memory of the loops, and the
 * rows out of it. For damaged bytes they throw `corrupt` as {@link Lanes} do, but perhaps with other words, because
 * they read something else past the end of a group.
 */
export class WasmLanes extends Lanes {
  override readonly state: Int32Array;
  override readonly at: Int32Array;
  override readonly table: Int32Array;
  private readonly input: Uint8Array;
  private readonly inputWords: Uint16Array;
  /** The means that are in the memory. */
  private mean: Int32Array | undefined;
  /** The row of each lane, as floats or as symbols. */
  private readonly floats: readonly Float32Array[];
  private readonly symbols: readonly Uint16Array[];
  private readonly joined: Uint32Array;

  private constructor(
    tables: SlotTables,
    width: number,
    private readonly loops: WasmLoops,
  ) {
    super(tables);
    const { memory } = loops;
    this.state = new Int32Array(memory, LANE_STATE, LANES);
    this.at = new Int32Array(memory, LANE_AT, LANES);
    this.table = new Int32Array(memory, LANE_TABLE, LANES);
    this.input = new Uint8Array(memory, WORDS, WORD_BYTES);
    this.inputWords = new Uint16Array(memory, WORDS, WORD_BYTES / 2);
    const rows = Array.from({ length: LANES }, (_, lane) => ROWS_OUT + ROW_OUT_BYTES * lane);
    this.floats = rows.map((start) => new Float32Array(memory, start, width));
    this.symbols = rows.map((start) => new Uint16Array(memory, start, width));
    this.joined = new Uint32Array(memory, JOINED, width);
  }

  /** Lanes for rows of `width` symbols; `undefined` where there is no WebAssembly, or no room for the rows. */
  static open(tables: SlotTables, width: number): WasmLanes | undefined {
    if (width > MAX_WIDTH || tables.slots.length > MAX_TABLES * SLOTS) return undefined;
    const loops = wasmLoops();
    return loops && new WasmLanes(tables, width, loops);
  }

  /** Whether there is room for so many bytes of four groups. */
  hasRoom(bytes: number): boolean {
    return bytes <= WORD_BYTES;
  }

  override setBytes(bytes: Uint8Array): void {
    const { loops } = this;
    if (loops.rowsOwner !== this) {
      const { slots, symbolAt } = this.tables;
      new Uint32Array(loops.memory, TABLE_SLOTS, slots.length).set(slots);
      new Uint16Array(loops.memory, TABLE_SYMBOLS, symbolAt.length).set(symbolAt.map((symbol) => 4 * symbol));
      this.mean = undefined;
      loops.rowsOwner = this;
    }
    this.input.set(bytes);
    this.bytes = this.input;
    this.words = this.inputWords;
  }

  protected override fieldOfFour(width: number, symbols: Uint16Array): void {
    this.loops.decodeFourLanes(width, false, 0);
    this.checkWords();
    for (let lane = 0; lane < LANES; lane++) symbols.set(this.symbols[lane], lane * width);
  }

  override floatsOfFour(width: number, mean: Int32Array, values: Float32Array, out: Float32Array): void {
    const { loops } = this;
    if (this.mean !== mean) {
      new Int32Array(loops.memory, MEANS, mean.length).set(mean.map((m) => 4 * m));
      new Float32Array(loops.memory, VALUES, values.length).set(values);
      this.mean = mean;
    }
    loops.decodeFourLanes(width, true, 0);
    this.checkWords();
    for (let lane = 0; lane < LANES; lane++) out.set(this.floats[lane], this.row[lane] * width);
  }

  override floatsOfPlanes(width: number, isCoded: readonly boolean[], bits: Uint32Array): boolean {
    let coded = 0;
    for (const is of isCoded) {
      if (!is) continue;
      for (let lane = 0; lane < LANES; lane++) this.choose(lane, coded);
      this.loops.decodeFourLanes(width, false, 2 * width * coded++);
      this.checkWords();
    }
    // Of a symbol of 16 bits, the lower byte comes first and is all of it.
    const steps = isCoded.map((is) => (is ? 2 : 1));
    for (let lane = 0; lane < LANES; lane++) {
      let symbols = ROWS_OUT + ROW_OUT_BYTES * lane;
      const [a, b, c, d] = isCoded.map((is) => {
        const start = is ? symbols : WORDS + this.raw[lane];
        if (is) symbols += 2 * width;
        else this.raw[lane] += width;
        return start;
      });
      this.loops.joinFour(width, a, steps[0], b, steps[1], c, steps[2], d, steps[3]);
      bits.set(this.joined, this.row[lane] * width);
    }
    return true;
  }

  /** After each row, because there is memory behind a group's words for a row's symbols and not for more. */
  private checkWords(): void {
    for (let lane = 0; lane < LANES; lane++) {
      if (this.at[lane] > this.end[lane]) {
        throw corrupt('group ends before its rows', this.at[lane], `at most ${this.end[lane]} words`);
      }
    }
  }
}
