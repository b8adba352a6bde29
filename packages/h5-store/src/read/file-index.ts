import { checkLimit, DTYPES, isPruneError, type Limits, locateError, type StoredInfo } from '@prune/core';
import { UNDEFINED_ADDRESS } from '../format/constants.js';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { checkChunks, checkSizes } from './check-sizes.js';
import { type HeaderMessage, headerMessages } from './header-messages.js';
import { naturalOrder } from './natural-order.js';
import { readAttribute } from './read-attribute.js';
import type { BudgetedFile } from './read-budget.js';
import { readDatatype } from './read-datatype.js';
import { readFilters } from './read-filters.js';
import { readLinks } from './read-links.js';
import { readSpace } from './read-space.js';
import { readStorage, type Storage } from './read-storage.js';
import { stringReader } from './read-string.js';
import { readSuperblock } from './read-superblock.js';
import { UnknownStructure, want } from './unknown-structure.js';

/** What a file holds under a name, and where. A string is here already. */
export interface IndexEntry {
  readonly info: StoredInfo;
  readonly storage: Storage;
}

/** Messages that a dataset's header may have: those that are read, and those that change nothing that is read. */
const IN_DATASETS: ReadonlySet<number> = new Set([
  MESSAGE_TYPE.nil,
  MESSAGE_TYPE.dataspace,
  MESSAGE_TYPE.datatype,
  MESSAGE_TYPE.layout,
  MESSAGE_TYPE.filters,
  // Every chunk is there, so no fill value is ever read.
  MESSAGE_TYPE.oldFillValue,
  MESSAGE_TYPE.fillValue,
  // Attributes of a dataset: the notebook's loader does not look at them either.
  MESSAGE_TYPE.attribute,
  MESSAGE_TYPE.attributeInfo,
  MESSAGE_TYPE.oldModificationTime,
  MESSAGE_TYPE.modificationTime,
  MESSAGE_TYPE.continuation,
  MESSAGE_TYPE.referenceCount,
]);
/** Messages that the root group's header may have. */
const IN_ROOT: ReadonlySet<number> = new Set([
  MESSAGE_TYPE.nil,
  MESSAGE_TYPE.linkInfo,
  MESSAGE_TYPE.link,
  MESSAGE_TYPE.groupInfo,
  MESSAGE_TYPE.symbolTable,
  MESSAGE_TYPE.attribute,
  MESSAGE_TYPE.attributeInfo,
  MESSAGE_TYPE.oldModificationTime,
  MESSAGE_TYPE.modificationTime,
  MESSAGE_TYPE.continuation,
  MESSAGE_TYPE.referenceCount,
]);

/**
 * Reads what is where in a file of the notebook's layout, as h5py and this package write it: a flat root group of datasets and attributes. `undefined` for
 * a file that has anything else, or is broken: HDF5's own library knows more, and why. Throws `limit`, and `corrupt` for sizes that no such file can hold.
 *
 * The 780 names of a BERT-base file take a ninth of the time that HDF5 takes when it is asked for each.
 */
export function fileIndex(file: BudgetedFile, where: string): ReadonlyMap<string, IndexEntry> | undefined {
  try {
    return readIndex(file, where);
  } catch (error) {
    if (isPruneError(error)) throw locateError(error, { where });
    if (error instanceof UnknownStructure || error instanceof RangeError) return undefined;
    throw error;
  }
}

function readIndex(file: BudgetedFile, where: string): ReadonlyMap<string, IndexEntry> {
  const { limits } = file;
  const root = messagesAt(file, readSuperblock(file), IN_ROOT);
  const found = new Map<string, IndexEntry>();
  const readString = stringReader(file);
  for (const { type, body } of root) {
    if (type === MESSAGE_TYPE.attributeInfo) want(isCompact(body), 'attributes in a fractal heap');
    if (type !== MESSAGE_TYPE.attribute) continue;
    const { name, dtype, shape, data } = readAttribute(body);
    file.payName(body.getUint16(2, true));
    const place = { where, tensor: name };
    const width = dtype === 'string' ? 16 : DTYPES[dtype].bytes;
    const bytes = checkSizes({ dtype, shape, width }, place, limits, file.size);
    want(bytes <= data.byteLength && !found.has(name), 'attribute');
    const value = dtype === 'string' ? readString(data) : new Uint8Array(data.buffer, data.byteOffset, bytes).slice();
    const storedBytes = dtype === 'string' ? bytes + value.byteLength : bytes;
    const info = { dtype, shape: dtype === 'string' ? [] : shape, codec: 'raw', storedBytes };
    found.set(name, { info, storage: { kind: 'here', data: value } });
    checkLimit('too many entries', found.size, limits.tensors, { where });
  }
  const links = readLinks(file, root, limits.tensors + 1);
  checkLimit('too many entries', found.size + links.size, limits.tensors, { where });
  for (const [name, address] of links) {
    want(!found.has(name), 'a name of both a dataset and an attribute');
    found.set(name, readDataset(file, address, { where, tensor: name }, limits));
  }
  return new Map(naturalOrder(found.keys()).map((name) => [name, found.get(name)!]));
}

function readDataset(
  file: BudgetedFile,
  address: number,
  place: { readonly where: string; readonly tensor: string },
  limits: Limits,
): IndexEntry {
  const messages = messagesAt(file, address, IN_DATASETS);
  const only = (type: number): DataView | undefined => {
    const [first, second] = messages.filter((message) => message.type === type);
    want(second === undefined, 'a message that is there twice');
    return first?.body;
  };
  const [space, type, layout, pipeline] = [
    MESSAGE_TYPE.dataspace,
    MESSAGE_TYPE.datatype,
    MESSAGE_TYPE.layout,
    MESSAGE_TYPE.filters,
  ].map(only);
  want(space !== undefined && type !== undefined && layout !== undefined, 'no dataset');
  const dtype = readDatatype(type);
  want(dtype !== 'string', 'dataset of strings');
  const shape = readSpace(space);
  const width = DTYPES[dtype].bytes;
  const bytes = checkSizes({ dtype, shape, width }, place, limits, file.size);
  const filters = pipeline === undefined ? [] : readFilters(pipeline, width);
  const storage = readStorage(file, layout, filters, shape, width);
  if (storage.kind === 'chunks') checkChunks(storage.shape, { shape, width, bytes }, file.size, place);
  return { info: { dtype, shape, codec: codecOf(storage), storedBytes: storedBytes(storage) }, storage };
}

/** Returns the header's messages. Rejects any message that would change how the others are read. */
function messagesAt(file: BudgetedFile, address: number, known: ReadonlySet<number>): HeaderMessage[] {
  const messages = headerMessages(file, address);
  for (const { type, flags } of messages) want(known.has(type) && (flags & 0x02) === 0, 'header message');
  return messages;
}

/** Whether an attribute info message leaves all attributes in the header. */
function isCompact(body: DataView): boolean {
  return body.getBigUint64(body.getUint8(1) & 1 ? 4 : 2, true) === UNDEFINED_ADDRESS;
}

function codecOf(storage: Storage): string {
  return storage.kind === 'chunks' && storage.filters.length > 0 ? storage.filters.join('+') : 'raw';
}

function storedBytes(storage: Storage): number {
  if (storage.kind === 'here') return storage.data.byteLength;
  if (storage.kind === 'run') return storage.bytes;
  return storage.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
}
