import { PruneError } from '@prune/core';
import type { PickleBudget } from './pickle-budget.js';

/** A dict or OrderedDict: its pairs in order, repeated keys kept, so that a caller can refuse them. */
export class PickleDict {
  readonly keys: unknown[] = [];
  readonly values: unknown[] = [];
  /** Attributes that an OrderedDict has besides its items. */
  state: unknown;

  /** The last value of a key, as Python would have it. */
  get(key: unknown): unknown {
    return this.values[this.keys.lastIndexOf(key)];
  }
}

/** What the budget is charged for an empty {@link PickleDict}: two arrays and the object, 120 bytes. */
export const DICT_FIELDS = 9;

/** A list. A tuple is a plain array. */
export class PickleList {
  readonly items: unknown[] = [];
}

/** A name that the host allowed: nothing is imported or called by it. */
export class PickleGlobal {
  constructor(readonly path: string) {}
}

/** Decides what the names in a pickle stand for. Each method throws for what it does not know. */
export interface PickleHost {
  /** Throws `unsupported`, naming it, unless `path` ("module.name") is on the allow-list. */
  allow(path: string): void;
  /** What an allowed callable makes of its arguments. */
  reduce(path: string, args: readonly unknown[]): unknown;
  /** What a persistent id stands for. */
  persistent(id: unknown): unknown;
  /** Gives what `reduce` made its state. Throws for what has none. */
  build(target: unknown, state: unknown): void;
}

// An array of numpy is one string. An embedding table of BERT-large has 125 MB.
const MAX_STRING_BYTES = 1 << 27;
// The magic number of the older format has 10 bytes.
const MAX_INTEGER_BYTES = 16;
const MAX_GLOBAL_BYTES = 256;
// What Node takes: a string beside its characters, a place in an array that grows, an entry of a Map.
const STRING_BYTES = 24;
const ITEM_BYTES = 16;
const SCATTERED_BYTES = 128;
const INTEGER_BYTES = 64;
// Nothing changes a tuple, so all empty ones can be the same.
const EMPTY_TUPLE: readonly unknown[] = [];

/**
 * Reads the pickle at the start of `bytes` (protocols 2 to 5, binary opcodes) without executing anything: an allow-list decides about every global, and
 * only `reduce` of the host gives a call a meaning. `budget` bounds the opcodes that run and the memory of the values
 * that they make; the host charges it for what it makes itself. Nothing recurses: deep, cyclic and
 * shared structures are only references.
 * Throws `truncated` with the number of bytes that it `wanted`, `corrupt`, `unsupported`, `limit`.
 * Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
export function unpickle(
  bytes: Uint8Array,
  host: PickleHost,
  budget: PickleBudget,
): { readonly value: unknown; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const marks: number[] = [];
  const memo: unknown[] = [];
  // What a pickler numbers in another order than 0, 1, 2, ...
  const scattered = new Map<number, unknown>();
  let deepest = 0;
  const strings = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let position = 0;

  /** Moves past the next `count` bytes, which must be there, and returns where they begin. */
  function take(count: number): number {
    const begin = position;
    if (!(begin + count <= bytes.byteLength)) {
      throw new PruneError('truncated', {
        what: 'pickle ends too early',
        got: bytes.byteLength,
        wanted: begin + count,
      });
    }
    position = begin + count;
    return begin;
  }
  function fail(what: string): never {
    throw new PruneError('corrupt', { what: `pickle, byte ${position - 1}: ${what}` });
  }
  function pop(): unknown {
    if (stack.length <= (marks[marks.length - 1] ?? 0)) fail('stack underflow');
    return stack.pop();
  }
  function top(): unknown {
    if (stack.length <= (marks[marks.length - 1] ?? 0)) fail('stack underflow');
    return stack[stack.length - 1];
  }
  function popMark(): unknown[] {
    const mark = marks.pop();
    if (mark === undefined) fail('no mark');
    budget.chargeObject(stack.length - mark);
    return stack.splice(mark);
  }
  function tuple(count: 1 | 2 | 3): unknown[] {
    budget.chargeObject(count);
    const items = new Array<unknown>(count);
    for (let i = count - 1; i >= 0; i--) items[i] = pop();
    return items;
  }
  function long(count: number): number {
    if (count > MAX_INTEGER_BYTES) throw limit('integer (bytes)', count, MAX_INTEGER_BYTES);
    return take(count);
  }
  function integer(begin: number): number | bigint {
    budget.charge(INTEGER_BYTES);
    let value = 0n;
    for (let at = position - 1; at >= begin; at--) value = (value << 8n) | BigInt(bytes[at]);
    value = BigInt.asIntN(8 * (position - begin), value);
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }
  function raw(count: number): Uint8Array {
    if (count > MAX_STRING_BYTES) throw limit('string (bytes)', count, MAX_STRING_BYTES);
    const begin = take(count);
    return bytes.subarray(begin, begin + count);
  }
  function text(count: number): string {
    const encoded = raw(count);
    budget.charge(STRING_BYTES + count);
    try {
      const decoded = strings.decode(encoded);
      // Every byte is a code unit in ASCII alone; other text takes two bytes for each.
      if (decoded.length !== count) budget.charge(2 * decoded.length);
      return decoded;
    } catch (error) {
      if (error instanceof TypeError) fail('string is not UTF-8');
      throw error;
    }
  }
  function line(): string {
    const end = bytes.subarray(position, position + MAX_GLOBAL_BYTES).indexOf(0x0a);
    if (end < 0) {
      take(MAX_GLOBAL_BYTES);
      fail('global name is too long');
    }
    const name = text(end);
    take(1);
    return name;
  }
  function pushGlobal(module: unknown, name: unknown) {
    if (typeof module !== 'string' || typeof name !== 'string') fail('global name is no string');
    if (module.length + name.length > MAX_GLOBAL_BYTES) fail('global name is too long');
    const path = `${module}.${name}`;
    host.allow(path);
    budget.charge(STRING_BYTES + path.length);
    budget.chargeObject(1);
    stack.push(new PickleGlobal(path));
  }
  function setItems(pairs: readonly unknown[]) {
    const dict = top();
    if (!(dict instanceof PickleDict)) fail('items of what is no dict');
    if (pairs.length % 2 !== 0) fail('a key without a value');
    budget.charge(ITEM_BYTES * pairs.length);
    for (let i = 0; i < pairs.length; i += 2) {
      dict.keys.push(pairs[i]);
      dict.values.push(pairs[i + 1]);
    }
  }
  function append(items: readonly unknown[]) {
    const list = top();
    if (!(list instanceof PickleList)) fail('append to what is no list');
    budget.charge(ITEM_BYTES * items.length);
    for (const item of items) list.items.push(item);
  }
  function memoize(index: number) {
    const value = top();
    if (index < memo.length) memo[index] = value;
    else if (index === memo.length) {
      budget.charge(ITEM_BYTES);
      memo.push(value);
    } else {
      budget.charge(SCATTERED_BYTES);
      scattered.set(index, value);
    }
  }
  function recall(index: number) {
    if (index < memo.length) stack.push(memo[index]);
    else if (scattered.has(index)) stack.push(scattered.get(index));
    else fail(`memo ${index} was never set`);
  }

  for (;;) {
    budget.operation();
    const depth = stack.length + marks.length;
    if (depth > deepest) {
      budget.charge(2 * ITEM_BYTES * (depth - deepest));
      deepest = depth;
    }
    const opcode = bytes[take(1)];
    switch (opcode) {
      case 0x80: // PROTO
        if (bytes[take(1)] > 5) fail(`protocol ${bytes[position - 1]}, wanted at most 5`);
        break;
      case 0x95: // FRAME: says only how far a reader may buffer
        take(8);
        break;
      case 0x2e: // STOP
        return { value: pop(), end: position };
      case 0x28: // MARK
        marks.push(stack.length);
        break;
      case 0x30: // POP
        pop();
        break;
      case 0x31: // POP_MARK
        popMark();
        break;
      case 0x32: // DUP
        stack.push(top());
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
        stack.push(true);
        break;
      case 0x89: // NEWFALSE
        stack.push(false);
        break;
      case 0x4a: // BININT
        stack.push(view.getInt32(take(4), true));
        break;
      case 0x4b: // BININT1
        stack.push(bytes[take(1)]);
        break;
      case 0x4d: // BININT2
        stack.push(view.getUint16(take(2), true));
        break;
      case 0x8a: // LONG1
        stack.push(integer(long(bytes[take(1)])));
        break;
      case 0x8b: // LONG4
        stack.push(integer(long(view.getUint32(take(4), true))));
        break;
      case 0x47: // BINFLOAT, big-endian
        stack.push(view.getFloat64(take(8), false));
        break;
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING: a string of Python 2
        stack.push(text(view.getUint32(take(4), true)));
        break;
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        stack.push(text(bytes[take(1)]));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(text(Number(view.getBigUint64(take(8), true))));
        break;
      case 0x42: // BINBYTES
        stack.push(raw(view.getUint32(take(4), true)));
        break;
      case 0x8e: // BINBYTES8
        stack.push(raw(Number(view.getBigUint64(take(8), true))));
        break;
      case 0x96: // BYTEARRAY8: what protocol 5 makes of a buffer that stays in the pickle
        stack.push(raw(Number(view.getBigUint64(take(8), true))));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(raw(bytes[take(1)]));
        break;
      case 0x29: // EMPTY_TUPLE
        stack.push(EMPTY_TUPLE);
        break;
      case 0x74: // TUPLE
        stack.push(popMark());
        break;
      case 0x85: // TUPLE1
        stack.push(tuple(1));
        break;
      case 0x86: // TUPLE2
        stack.push(tuple(2));
        break;
      case 0x87: // TUPLE3
        stack.push(tuple(3));
        break;
      case 0x5d: // EMPTY_LIST
        budget.chargeObject(8);
        stack.push(new PickleList());
        break;
      case 0x61: // APPEND
        append([pop()]);
        break;
      case 0x65: // APPENDS
        append(popMark());
        break;
      case 0x7d: // EMPTY_DICT
        budget.chargeObject(DICT_FIELDS);
        stack.push(new PickleDict());
        break;
      case 0x73: // SETITEM
        setItems([pop(), pop()].reverse());
        break;
      case 0x75: // SETITEMS
        setItems(popMark());
        break;
      case 0x63: // GLOBAL
        pushGlobal(line(), line());
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = pop();
        pushGlobal(pop(), name);
        break;
      }
      case 0x52: {
        // REDUCE
        const args = pop();
        const callable = pop();
        if (!(callable instanceof PickleGlobal) || !Array.isArray(args)) fail('call of what is no global');
        stack.push(host.reduce(callable.path, args));
        break;
      }
      case 0x62: {
        // BUILD
        const state = pop();
        const target = top();
        if (target instanceof PickleDict) target.state = state;
        else host.build(target, state);
        break;
      }
      case 0x51: // BINPERSID
        stack.push(host.persistent(pop()));
        break;
      case 0x68: // BINGET
        recall(bytes[take(1)]);
        break;
      case 0x6a: // LONG_BINGET
        recall(view.getUint32(take(4), true));
        break;
      case 0x71: // BINPUT
        memoize(bytes[take(1)]);
        break;
      case 0x72: // LONG_BINPUT
        memoize(view.getUint32(take(4), true));
        break;
      case 0x94: // MEMOIZE
        memoize(memo.length + scattered.size);
        break;
      default:
        throw new PruneError('unsupported', {
          what: `pickle opcode at byte ${position - 1}`,
          got: `0x${opcode.toString(16).padStart(2, '0')}`,
        });
    }
  }
}

function limit(what: string, got: number, atMost: number): PruneError {
  return new PruneError('limit', { what, got, wanted: `at most ${atMost}` });
}
