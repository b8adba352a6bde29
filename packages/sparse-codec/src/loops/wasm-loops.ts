import { LOOPS } from '../generated/loops.js';
import { END } from './layout.js';

/** The functions of `assembly/index.ts`, and the memory that they work in. */
export interface WasmLoops {
  readonly memory: ArrayBuffer;
  decodeFourLanes(width: number, asFloats: boolean, start: number): void;
  joinFour(
    width: number,
    a: number,
    ofA: number,
    b: number,
    ofB: number,
    c: number,
    ofC: number,
    d: number,
    ofD: number,
  ): void;
  fillColumns(columns: number): void;
  decodeMasks(slots: number): number;
  decodeValues(from: number, to: number, word: number, wordsEnd: number): number;
  decodeContextValues(from: number, to: number, groups: number, word: number, wordsEnd: number): number;
  /** Whoever put tables of rows into the memory last. Another one that finds itself replaced puts its own there. */
  rowsOwner: object | undefined;
  /** The same for matrices. */
  matrixOwner: object | undefined;
}

/** `null`: there are none here. */
let loops: WasmLoops | null | undefined;

/**
 * The loops in WebAssembly, compiled when they are first asked for: a millisecond, once a thread. `undefined` where
 * that is forbidden (a content-security policy without `'wasm-unsafe-eval'`, edge runtimes), or where there is no
 * WebAssembly: then the TypeScript loops, which say what these compute, do the work.
 */
export function wasmLoops(): WasmLoops | undefined {
  if (loops === undefined) loops = instantiate();
  return loops ?? undefined;
}

const PAGE_BYTES = 65_536;

function instantiate(): WasmLoops | null {
  try {
    const bytes = Uint8Array.from(atob(LOOPS), (character) => character.charCodeAt(0));
    const module = new WebAssembly.Module(bytes);
    const pages = Math.ceil(END / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    return {
      ...(exports as unknown as WasmLoops),
      memory: memory.buffer,
      rowsOwner: undefined,
      matrixOwner: undefined,
    };
  } catch {
    return null;
  }
}
