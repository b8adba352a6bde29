/** What forbids compiling, and what would allow it. */
export interface CompilingFault {
  readonly what: string;
  readonly wanted: string;
  readonly cause?: unknown;
}

/**
 * Why no WebAssembly at all can be compiled from bytes here; `undefined` where it can. A content-security policy
 * without `'wasm-unsafe-eval'` forbids it, and so do edge runtimes. The texts of JavaScript engines differ, so a module
 * without content is tried.
 */
export async function whyNotCompiled(): Promise<CompilingFault | undefined> {
  if (typeof WebAssembly === 'undefined')
    return { what: 'there is no WebAssembly here', wanted: 'an engine that has it' };
  try {
    await WebAssembly.compile(EMPTY_MODULE);
    return undefined;
  } catch (cause) {
    return {
      what: 'WebAssembly may not be compiled from bytes here',
      wanted:
        "'wasm-unsafe-eval' in script-src of a page's content-security policy, or the option `modules` in an edge runtime",
      cause,
    };
  }
}

/** The magic number and the version. */
const EMPTY_MODULE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
