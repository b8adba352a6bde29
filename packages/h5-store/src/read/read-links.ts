import { UNDEFINED_ADDRESS } from '../format/constants.js';
import { MESSAGE_TYPE } from '../format/message-type.js';
import type { HeaderMessage } from './header-messages.js';
import type { BudgetedFile } from './read-budget.js';
import { uint64, want } from './unknown-structure.js';
import { decodeName } from './utf8.js';
import { visitSymbols } from './visit-symbols.js';

/** Cache type of a symbol that is a soft link. */
const SOFT_LINK = 2;

/**
 * The hard links of a group, name to address of the object header, from its header's messages: a symbol table (h5py's)
 * or link messages (ours). At most `most` links. Throws `UnknownStructure` or a RangeError. Source: HDF5 File Format
 * Specification 3.0, sections III.A to III.D and IV.A.2.g.
 */
export function readLinks(file: BudgetedFile, messages: readonly HeaderMessage[], most: number): Map<string, number> {
  const links = new Map<string, number>();
  function add(nameBytes: Uint8Array, address: number) {
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
    visitSymbols(file, body, (name, symbol) => {
      want(symbol.getUint32(16, true) !== SOFT_LINK, 'soft link');
      add(name, uint64(symbol, 8));
    });
    return links;
  }
  for (const { type, body } of messages) {
    if (type === MESSAGE_TYPE.link) {
      readLink(body, (name, address) => {
        file.payName(name.byteLength);
        add(name, address);
      });
    }
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
