// Preloaded with `node --import`: counts the calls of node:fs, node:fs/promises and FileHandle that write or change
// something, and makes one of them fail or kills the process at it. The command that runs under it is the built one,
// unchanged.
//
// What is armed: { at: number, kind: string }, the number of the call from 1, and one of
//   'fails'        the call throws, and has not happened; a write has written its first half; a close has closed
//   'stays-full'   as `fails`, with ENOSPC, and so does every later call that needs room
//   'dies-before'  SIGKILL instead of the call
//   'dies-after'   SIGKILL right after the call
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';

const fs = createRequire(import.meta.url)('node:fs');

/** The calls that change something, under the name that their promise, callback and `Sync` forms share. */
const CHANGING = [
  ...['open', 'write', 'writev', 'writeFile', 'appendFile', 'sync', 'fsync', 'datasync', 'fdatasync', 'close'],
  ...['rename', 'rm', 'unlink', 'mkdir', 'mkdtemp', 'rmdir', 'link', 'symlink', 'copyFile', 'cp'],
  ...['chmod', 'fchmod', 'lchmod', 'chown', 'fchown', 'lchown'],
  ...['truncate', 'ftruncate', 'utimes', 'futimes', 'lutimes'],
];

/** Of these, the ones that a full disk refuses. */
const NEEDS_ROOM = /^(open|write|writev|writeFile|appendFile|mkdir|mkdtemp|link|symlink|copyFile|cp)$/;

let armed;
let calls = 0;
let fired;

/** What the driver uses in this process; a child is armed by its environment. */
globalThis[Symbol.for('prune/faults')] = {
  arm(plan) {
    armed = plan;
    calls = 0;
    fired = undefined;
  },
  /** Ends it. Returns how many calls there were, and the name of the one that was hit. */
  disarm() {
    armed = undefined;
    return { calls, fired };
  },
};

/** Whether the call is one that counts: only opening for writing changes something, and a terminal is not a file. */
function counts(name, args) {
  if (armed === undefined) return false;
  if (name === 'open') return typeof args[1] === 'string' ? /[wa+]/.test(args[1]) : (args[1] & 3) !== 0;
  // The descriptors of the standard streams.
  return !(typeof args[0] === 'number' && args[0] <= 2);
}

function systemError(name, code) {
  const errno = -constants.errno[code];
  const said = code === 'ENOSPC' ? 'no space left on device' : 'i/o error';
  return Object.assign(new Error(`${code}: ${said}, ${name}`), { code, errno, syscall: name });
}

/** Counts the call. Gives the error that it ends with, or `undefined`. Does not return when the process dies. */
function hit(name) {
  calls++;
  if (armed.kind === 'stays-full' && calls > armed.at && NEEDS_ROOM.test(name)) return systemError(name, 'ENOSPC');
  if (calls !== armed.at) return undefined;
  fired = name;
  if (armed.kind === 'dies-before') die();
  if (armed.kind === 'dies-after') return undefined;
  // EIO is what a disk says that has lost what was written; both are seen at every other call.
  return systemError(name, armed.kind === 'stays-full' || armed.at % 2 === 1 ? 'ENOSPC' : 'EIO');
}

function dieIfAfter() {
  if (armed?.kind === 'dies-after' && calls === armed.at) die();
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}

/** The arguments of the half of a write that a full disk still takes, or `undefined`. */
function halfOf(name, args) {
  // (bytes, offset, length, ...) of a handle, and after a descriptor.
  const at = args.findIndex((arg) => ArrayBuffer.isView(arg));
  if (name !== 'write' || at < 0 || typeof args[at + 2] !== 'number') return undefined;
  return args.with ? args.with(at + 2, args[at + 2] >> 1) : args.map((arg, i) => (i === at + 2 ? arg >> 1 : arg));
}

function wrapPromise(owner, name) {
  const real = owner[name];
  if (typeof real !== 'function') return;
  owner[name] = async function (...args) {
    if (!counts(name, args)) return real.apply(this, args);
    const error = hit(name);
    if (error !== undefined) {
      const half = halfOf(name, args);
      if (half !== undefined) await real.apply(this, half);
      // As close(2) does it: the descriptor is gone whatever it says.
      if (name === 'close') await real.apply(this, args);
      throw error;
    }
    const value = await real.apply(this, args);
    dieIfAfter();
    return value;
  };
}

function wrapSync(name) {
  const real = fs[`${name}Sync`];
  if (typeof real !== 'function') return;
  fs[`${name}Sync`] = (...args) => {
    if (!counts(name, args)) return real(...args);
    const error = hit(name);
    if (error !== undefined) {
      if (name === 'close') real(...args);
      throw error;
    }
    const value = real(...args);
    dieIfAfter();
    return value;
  };
}

function wrapCallback(name) {
  const real = fs[name];
  if (typeof real !== 'function') return;
  fs[name] = (...args) => {
    const callback = args.at(-1);
    if (typeof callback !== 'function' || !counts(name, args)) return real(...args);
    const error = hit(name);
    if (error !== undefined) {
      if (name === 'close') real(...args.slice(0, -1), () => callback(error));
      else process.nextTick(callback, error);
      return;
    }
    real(...args.slice(0, -1), (...results) => {
      dieIfAfter();
      callback(...results);
    });
  };
}

// A handle, for its class, which node:fs does not export.
const handle = await fs.promises.open(process.execPath);
const handleClass = Object.getPrototypeOf(handle);
await handle.close();

for (const name of CHANGING) {
  wrapPromise(fs.promises, name);
  wrapPromise(handleClass, name);
  wrapSync(name);
  wrapCallback(name);
}
syncBuiltinESMExports();

if (process.env.PRUNE_FAULT) armed = JSON.parse(process.env.PRUNE_FAULT);
