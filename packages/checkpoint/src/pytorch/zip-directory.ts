import { checkLimit, type Limits, MAX_DEFLATE_RATIO, PruneError, type RandomAccess } from '@prune/core';

/** A file of a zip archive, as its central directory has it. */
export interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflated';
  /** Bytes in the archive. */
  readonly packedBytes: number;
  /** Bytes once inflated. */
  readonly bytes: number;
  readonly headerOffset: number;
}

const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const MAX_COMMENT_BYTES = 65_535;

/**
 * The central directory of a zip archive, 64-bit records included, in file order, read by ranges. Entries lie inside
 * the archive and do not overlap, so what they hold cannot be more than the file, or `MAX_DEFLATE_RATIO` times the file
 * when deflated. CRCs are not checked: torch does not either, and can be told not to write them.
 * Throws `truncated`, `corrupt`, `unsupported`, `limit`.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export async function readZipDirectory(source: RandomAccess, limits: Limits): Promise<Map<string, ZipEntry>> {
  const { offset, bytes, count } = await locateDirectory(source);
  checkLimit('zip directory is too large (bytes)', bytes, limits.headerBytes);
  checkLimit('zip archive has too many files', count, 2 * limits.tensors);
  if (count * CENTRAL_HEADER_BYTES > bytes) throw corrupt('more files than the directory has room for', count);
  const directory = await source.read(offset, bytes);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0, i = 0; i < count; i++) {
    const { entry, next } = readEntry(directory, at);
    if (entries.has(entry.name)) throw corrupt('duplicate file', entry.name);
    entries.set(entry.name, entry);
    at = next;
  }
  checkOverlaps([...entries.values()], offset);
  return entries;
}

/** Where the bytes of an entry begin, from its local header. */
export async function zipDataOffset(source: RandomAccess, entry: ZipEntry): Promise<number> {
  const header = viewOf(await source.read(entry.headerOffset, LOCAL_HEADER_BYTES));
  if (header.getUint32(0, true) !== 0x04034b50) throw corrupt('no local header', entry.name);
  return entry.headerOffset + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
}

async function locateDirectory(source: RandomAccess): Promise<{ offset: number; bytes: number; count: number }> {
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES + LOCATOR_BYTES);
  const tailStart = source.size - tailBytes;
  const tail = viewOf(await source.read(tailStart, tailBytes));
  let at = tailBytes - END_BYTES;
  while (
    at >= 0 &&
    !(tail.getUint32(at, true) === 0x06054b50 && at + END_BYTES + tail.getUint16(at + 20, true) === tailBytes)
  )
    at--;
  if (at < 0) throw new PruneError('truncated', { what: 'no end of central directory: not a whole zip archive' });
  const disks = tail.getUint16(at + 4, true);
  let count = tail.getUint16(at + 10, true);
  let bytes = tail.getUint32(at + 12, true);
  let offset = tail.getUint32(at + 16, true);
  let end = tailStart + at;
  if (at >= LOCATOR_BYTES && tail.getUint32(at - LOCATOR_BYTES, true) === 0x07064b50) {
    const end64 = u64(tail, at - LOCATOR_BYTES + 8);
    const record = viewOf(await source.read(end64, END64_BYTES));
    if (record.getUint32(0, true) !== 0x06064b50) throw corrupt('no 64-bit end of central directory', end64);
    count = u64(record, 32);
    bytes = u64(record, 40);
    offset = u64(record, 48);
    end = end64;
  }
  if (disks !== 0 && disks !== 0xffff) throw new PruneError('unsupported', { what: 'zip archive of several disks' });
  if (offset + bytes > end) throw corrupt('central directory reaches past its end', offset + bytes);
  return { offset, bytes, count };
}

function readEntry(directory: Uint8Array, at: number): { entry: ZipEntry; next: number } {
  const view = viewOf(directory);
  if (at + CENTRAL_HEADER_BYTES > directory.length || view.getUint32(at, true) !== 0x02014b50) {
    throw corrupt('bad entry in the central directory at', at);
  }
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const nameStart = at + CENTRAL_HEADER_BYTES;
  const extraStart = nameStart + view.getUint16(at + 28, true);
  const extraEnd = extraStart + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > directory.length) throw corrupt('entry reaches past the central directory', at);
  const name = new TextDecoder().decode(directory.subarray(nameStart, extraStart));
  if (flags & 1) throw new PruneError('unsupported', { what: 'encrypted file in the zip archive', got: name });
  if (method !== 0 && method !== 8) {
    throw new PruneError('unsupported', {
      what: `compression of "${name}"`,
      got: `method ${method}`,
      wanted: 'stored or deflated',
    });
  }
  const sizes = wideSizes(view, at, extraStart, extraEnd);
  if (method === 0 && sizes.bytes !== sizes.packedBytes) throw corrupt('sizes of a stored file differ', name);
  if (sizes.bytes > sizes.packedBytes * MAX_DEFLATE_RATIO) {
    throw corrupt(`"${name}" declares more than deflate can hold (bytes)`, sizes.bytes);
  }
  return { entry: { name, method: method === 0 ? 'stored' : 'deflated', ...sizes }, next };
}

/** Sizes and offset, from the zip64 extra field where the 32-bit ones are all ones. */
function wideSizes(view: DataView, at: number, extraStart: number, extraEnd: number) {
  let bytes = view.getUint32(at + 24, true);
  let packedBytes = view.getUint32(at + 20, true);
  let headerOffset = view.getUint32(at + 42, true);
  const isWide = (value: number) => value === 0xffff_ffff;
  if (!isWide(bytes) && !isWide(packedBytes) && !isWide(headerOffset)) return { bytes, packedBytes, headerOffset };
  for (let field = extraStart; field + 4 <= extraEnd; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    const end = Math.min(extraEnd, field + 4 + view.getUint16(field + 2, true));
    let value = field + 4;
    const wide = () => {
      if (value + 8 > end) throw corrupt('short zip64 field at', field);
      value += 8;
      return u64(view, value - 8);
    };
    if (isWide(bytes)) bytes = wide();
    if (isWide(packedBytes)) packedBytes = wide();
    if (isWide(headerOffset)) headerOffset = wide();
    return { bytes, packedBytes, headerOffset };
  }
  throw corrupt('no zip64 field in the entry at', at);
}

function checkOverlaps(entries: ZipEntry[], directoryOffset: number) {
  let end = 0;
  for (const { name, headerOffset, packedBytes } of entries.sort((a, b) => a.headerOffset - b.headerOffset)) {
    if (headerOffset < end) throw corrupt('file overlaps another', name);
    end = headerOffset + LOCAL_HEADER_BYTES + packedBytes;
  }
  if (end > directoryOffset) throw corrupt('a file reaches into the central directory', end);
}

function u64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw corrupt('64-bit number', value);
  return value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function corrupt(what: string, got: string | number): PruneError {
  return new PruneError('corrupt', { what: `zip: ${what}`, got });
}
