import { viewOf } from './file-bytes.js';
import type { BudgetedFile } from './read-budget.js';
import { uint64, want } from './unknown-structure.js';

/** `TREE`, `SNOD` and `HEAP`, little-endian. */
const TREE = 0x45455254;
const SNOD = 0x444f4e53;
const HEAP = 0x50414548;

const SYMBOL_BYTES = 40;

/** Called with a symbol's name in UTF-8, paid for, and its entry of 40 bytes. */
export type VisitSymbol = (name: Uint8Array, symbol: DataView) => void;

/**
 * Visits every symbol of the group whose symbol table message is `body`: a version 1 B-tree of nodes, and a heap of
 * names, which may overlap. Throws `limit` when names or nodes are more than the file's budget, `UnknownStructure` or a
 * RangeError for bytes that are not such a group. Source: HDF5 File Format Specification 3.0, sections III.A to III.D.
 */
export function visitSymbols(file: BudgetedFile, body: DataView, visit: VisitSymbol): void {
  readTree(file, uint64(body, 0), readHeap(file, uint64(body, 8)), visit);
}

/** The names of a group's symbols, one after another, each ended by a NUL. */
function readHeap(file: BudgetedFile, address: number): Uint8Array {
  const head = viewOf(file.read(address, 32));
  want(head.getUint32(0, true) === HEAP && head.getUint8(4) === 0, 'local heap');
  return file.read(uint64(head, 24), uint64(head, 8));
}

/**
 * `level` is what the node must have, so that no tree is deeper than 256 nodes; the budget bounds how often nodes are
 * shared.
 */
function readTree(file: BudgetedFile, address: number, names: Uint8Array, visit: VisitSymbol, level?: number): void {
  const head = viewOf(file.read(address, 24));
  want(head.getUint32(0, true) === TREE && head.getUint8(4) === 0, 'B-tree of a group');
  const own = head.getUint8(5);
  const count = head.getUint16(6, true);
  want(level === undefined || own === level, 'B-tree of a group');
  const children = viewOf(file.read(address + 24, 16 * count));
  for (let i = 0; i < count; i++) {
    const child = uint64(children, 16 * i + 8);
    if (own === 0) readNode(file, child, names, visit);
    else readTree(file, child, names, visit, own - 1);
  }
}

function readNode(file: BudgetedFile, address: number, names: Uint8Array, visit: VisitSymbol): void {
  const head = viewOf(file.read(address, 8));
  const count = head.getUint16(6, true);
  want(head.getUint32(0, true) === SNOD && head.getUint8(4) === 1, 'symbol table node');
  const symbols = viewOf(file.read(address + 8, SYMBOL_BYTES * count));
  for (let at = 0; at < symbols.byteLength; at += SYMBOL_BYTES) {
    const start = uint64(symbols, at);
    const end = names.indexOf(0, start);
    want(start < names.byteLength && end !== -1, 'symbol');
    file.payNode();
    file.payName(end - start);
    visit(names.subarray(start, end), new DataView(symbols.buffer, symbols.byteOffset + at, SYMBOL_BYTES));
  }
}
