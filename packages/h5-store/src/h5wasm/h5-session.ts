import { checkLimit, isPruneError, PruneError } from '@prune/core';
import { boundMemory } from './bound-memory.js';
import type { H5WasmFileSystem, H5WasmModule, H5WasmSource } from './h5-wasm.js';

/** h5wasm at work on one file: every call is quiet, touches no other file, and fails as a PruneError. */
export interface H5Session {
  readonly module: H5WasmModule;
  /** The file's name, for messages. */
  readonly where: string;
  /**
   * Runs `work`, which names what it does, e.g. `reading`, and may take `bytes` of memory more than opening a file may.
   * What it throws, a PruneError aside, becomes `limit` when HDF5 wanted more memory, otherwise `corrupt` with what HDF5
   * said.
   */
  run<T>(doing: string, tensor: string | undefined, work: (module: H5WasmModule) => T, bytes?: number): T;
}

/** A failed status, so that `run` makes an error of it. */
export class H5Failure extends Error {}

/** Modules that trapped. Their memory is in an unknown state; nothing more is asked of them. */
const broken = new WeakSet<H5WasmModule>();
let crashes = 0;

/** Whether the module is the build for Node, whose file system is the host's. */
export function isNodeBuild(module: H5WasmModule): boolean {
  const streams = (module.FS as { streams?: ({ nfd?: number } | undefined)[] }).streams;
  return streams?.some((stream) => stream?.nfd !== undefined) ?? false;
}

/** The module, loaded and started. Throws `io` when it cannot be, `unsupported` without one. */
export async function startH5Wasm(source: H5WasmSource | null, where: string): Promise<H5WasmModule> {
  if (source === null) {
    throw new PruneError('unsupported', {
      where,
      what: "has structures that only HDF5's own library reads",
      wanted: 'h5wasm',
    });
  }
  try {
    const h5wasm = typeof source === 'function' ? await source(crashes) : source;
    return await h5wasm.ready;
  } catch (cause) {
    if (isPruneError(cause)) throw cause;
    throw new PruneError('io', { where, what: `h5wasm cannot be loaded: ${String(cause)}`, cause });
  }
}

/**
 * What HDF5 may take for a file besides {@link MEMORY_OF_FILE} times its bytes, and besides what the module has already:
 * HDF5 leaks about 25 KB where it refuses a file, and a bound for all files would be used up in time. The module begins
 * with 16 MiB.
 */
const LEAST_MEMORY = 48 * 2 ** 20;
/** HDF5 holds pieces of a file in several forms while it works. */
const MEMORY_OF_FILE = 4;

/** A session on the one file of `size` bytes at `path` in h5wasm's file system. */
export function openSession(module: H5WasmModule, path: string, where: string, size: number): H5Session {
  const begin = module.HEAPU8.length;
  return {
    module,
    where,
    run(doing, tensor, work, bytes = 0) {
      if (broken.has(module)) throw brokenError(where);
      const most = begin + LEAST_MEMORY + MEMORY_OF_FILE * size + bytes;
      const guard = guardFiles(module.FS, path);
      const memory = boundMemory(module, most);
      const checkMemory = () =>
        checkLimit(`HDF5 takes too much memory ${doing} (bytes)`, memory.refused(), most, { where, tensor });
      try {
        const result = work(module);
        // h5wasm lists a group that has no memory as an empty one.
        checkMemory();
        return result;
      } catch (error) {
        if (isPruneError(error)) throw error;
        // A trap (abort, out of bounds, unreachable) or an overflow of the stack leaves the module's memory half changed.
        const trapped = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
        if (trapped) {
          broken.add(module);
          crashes++;
        }
        checkMemory();
        if (trapped) throw brokenError(where, error);
        throw new PruneError('corrupt', { where, tensor, what: `HDF5 failed ${doing}${guard.said()}`, cause: error });
      } finally {
        memory.release();
        guard.release();
      }
    },
  };
}

function brokenError(where: string, cause?: unknown): PruneError {
  const what = 'h5wasm crashed, and this instance of it cannot be used any more';
  return new PruneError('io', { where, what, cause });
}

/**
 * While HDF5 works: keeps what it prints (its error stack goes to stderr), and refuses every file but `path`, because links, virtual datasets
 * and external storage let a file name others, which would then be read as if they were its tensors.
 */
function guardFiles(fs: H5WasmFileSystem, path: string) {
  // Emscripten's own signatures, which h5wasm types loosely.
  const open = fs as unknown as {
    open(name: string, ...rest: unknown[]): unknown;
    write(stream: { fd: number }, buffer: Uint8Array, offset: number, length: number, ...rest: unknown[]): number;
    ErrnoError: new (errno: number) => Error;
  };
  const { open: realOpen, write: realWrite } = open;
  let text = '';
  open.open = (name, ...rest) => {
    // 44 is ENOENT in Emscripten's numbering.
    if (name !== path) throw new open.ErrnoError(44);
    return realOpen.call(fs, name, ...rest);
  };
  open.write = (stream, buffer, offset, length, ...rest) => {
    if (stream.fd !== 2) return realWrite.call(fs, stream, buffer, offset, length, ...rest);
    if (text.length < 65_536) text += new TextDecoder().decode(buffer.slice(offset, offset + length));
    return length;
  };
  return {
    /** The innermost line of HDF5's last error stack, e.g. `: inflate() failed (H5Z__filter_deflate)`. */
    said(): string {
      const lines = [...text.slice(text.lastIndexOf('HDF5-DIAG')).matchAll(/ in (\w+)\(\): (.+)/g)];
      const innermost = lines.at(-1);
      return innermost === undefined ? '' : `: ${innermost[2]} (${innermost[1]})`;
    },
    release() {
      open.open = realOpen;
      open.write = realWrite;
    },
  };
}
