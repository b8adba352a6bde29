import { UNDEFINED_ADDRESS } from '../format/constants.js';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { viewOf } from './file-bytes.js';
import type { HeaderMessage } from './header-messages.js';
import type { BudgetedFile } from './read-budget.js';
import { uint64, want } from './unknown-structure.js';
import { decodeName } from './utf8.js';

/** `TREE`, `SNOD` and `HEAP`, little-endian. */
const TREE = 0x45455254;
const SNOD = 0x444f4e53;
const HEAP = 0x50414548;

const SYMBOL_BYTES = 40;
/** Cache type of a symbol that is a soft link. */
const SOFT_LINK = 2;

/**
 * The hard links of a group, name to address of the object header, from its header's messages: a symbol table (h5py's) or link messages (ours).
 * At most `most` links. Throws `UnknownStructure` or a RangeError. Source: HDF5 File Format Specification 3.0, sections III.A to III.D and IV.A.2.g.
 */
export function readLinks(file: BudgetedFile, messages: readonly HeaderMessage[], most: number): Map<string, number> {
  const links = new Map<string, number>();
  function add(nameBytes: Uint8Array, address: number) {
    file.payNode();
    file.payName(nameBytes.byteLength);
    const name = decodeName(nameBytes);
    want(name !== '' && name !== '.' && !name.includes('/') && !links.has(name), 'name of a link');
    links.set(name, address);
    want(links.size <= most, 'too many links');
  }
  const tables = messages.filter(({ type }) => type === MESSAGE_TYPE.symbolTable);
  if (tables.length > 0) {
    want(
      messages.every(({ type }) => type !== MESSAGE_TYPE.link && type !== MESSAGE_TYPE.linkInfo) && tables.length === 1,
      'two kinds of links',
    );
    const { body } = tables[0];
    readTree(file, uint64(body, 0), readHeap(file, uint64(body, 8)), add);
    return links;
  }
  for (const { type, body } of messages) {
    if (type === MESSAGE_TYPE.link) readLink(body, add);
    // Links in a heap of their own, which HDF5 makes for large groups in its newer form.
    if (type === MESSAGE_TYPE.linkInfo) {
      want(body.getBigUint64(body.getUint8(1) & 1 ? 10 : 2, true) === UNDEFINED_ADDRESS, 'links in a fractal heap');
    }
  }
  return links;
}

type Add = (name: Uint8Array, address: number) => void;

function readLink(body: DataView, add: Add): void {
  const flags = body.getUint8(1);
  want(body.getUint8(0) === 1 && (flags & ~0x1b) === 0, 'link message');
  let at = 2;
  // A kind, a hard link's being 0, and a character set may be given. A creation order (4) is not read.
  if (flags & 0x08) want(body.getUint8(at++) === 0, 'kind of link');
  if (flags & 0x10) at++;
  const width = 1 << (flags & 3);
  want(width <= 2, 'length of a name');
  const length = width === 1 ? body.getUint8(at) : body.getUint16(at, true);
  at += width;
  const name = new Uint8Array(body.buffer, body.byteOffset + at, length);
  want(at + length + 8 <= body.byteLength, 'length of a name');
  add(name, uint64(body, at + length));
}

/** The names of a group's symbols, one after another, each ended by a NUL. */
function readHeap(file: BudgetedFile, address: number): Uint8Array {
  const head = viewOf(file.read(address, 32));
  want(head.getUint32(0, true) === HEAP && head.getUint8(4) === 0, 'local heap');
  return file.read(uint64(head, 24), uint64(head, 8));
}

/** A version 1 B-tree of symbol table nodes. `level` is what it must have; every node holds something, so none can be walked through for ever. */
function readTree(file: BudgetedFile, address: number, names: Uint8Array, add: Add, level?: number): void {
  const head = viewOf(file.read(address, 24));
  want(head.getUint32(0, true) === TREE && head.getUint8(4) === 0, 'B-tree of a group');
  const own = head.getUint8(5);
  const count = head.getUint16(6, true);
  want(level === undefined || (own === level && count > 0), 'B-tree of a group');
  const children = viewOf(file.read(address + 24, 16 * count));
  for (let i = 0; i < count; i++) {
    const child = uint64(children, 16 * i + 8);
    if (own === 0) readNode(file, child, names, add);
    else readTree(file, child, names, add, own - 1);
  }
}

function readNode(file: BudgetedFile, address: number, names: Uint8Array, add: Add): void {
  const head = viewOf(file.read(address, 8));
  const count = head.getUint16(6, true);
  want(head.getUint32(0, true) === SNOD && head.getUint8(4) === 1 && count > 0, 'symbol table node');
  const symbols = viewOf(file.read(address + 8, SYMBOL_BYTES * count));
  for (let at = 0; at < symbols.byteLength; at += SYMBOL_BYTES) {
    const start = uint64(symbols, at);
    const end = names.indexOf(0, start);
    want(start < names.byteLength && end !== -1 && symbols.getUint32(at + 16, true) !== SOFT_LINK, 'symbol');
    add(names.subarray(start, end), uint64(symbols, at + 8));
  }
}
