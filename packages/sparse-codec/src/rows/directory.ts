import { BinaryDecoder, BinaryEncoder } from '../binary-coder.js';
import { corrupt } from '../corrupt.js';
import { joined } from '../joined.js';
import { ByteReader } from '../varint.js';
import { CRC_BYTES } from './group-coder.js';
import { MAX_LENGTH_BITS, readLengths, writeLengths } from './group-lengths.js';
import { FORMS, type RowDecoder, type RowEncoder } from './row-form.js';

/**
 * Bytes of a group's SHA-256 that are kept. Whoever wants to replace a group has to find other bytes with the hash that
 * the file has, which takes 2^96 tries. Any two groups of equal hashes would take 2^48, but do not help.
 */
export const HASH_BYTES = 12;

/** The least bytes of a group: a coder's state and the CRC-32. */
export const LEAST_GROUP = 4 + CRC_BYTES;

/** Bytes at the end of a directory that say how long it is. */
const TRAILER = 4;

/** Where the groups lie and what decodes them. */
export interface Directory {
  readonly decoder: RowDecoder;
  readonly rowsPerGroup: number;
  /** Where each group starts in the block, and after the last one where it ends. */
  readonly starts: Float64Array;
}

/** The directory of groups of these lengths, which are even. */
export function writeDirectory(encoder: RowEncoder, rowsPerGroup: number, lengths: Uint32Array): Uint8Array {
  const coder = new BinaryEncoder();
  encoder.writeModel?.(coder);
  encoder.coder.write(coder);
  const model = coder.finish();
  const coded = writeLengths(lengths);
  const head = [encoder.form, rowsPerGroup, coded.least / 2, coded.bits, ...encoder.numbers, model.length];
  const body = joined(head, [model, coded.bytes]);
  const out = new Uint8Array(body.length + TRAILER);
  out.set(body);
  new DataView(out.buffer).setUint32(body.length, out.length, true);
  return out;
}

/** What a form reads from its directory: numbers, then adaptive bits. */
export interface FormReader {
  readonly reader: ByteReader;
  /** The adaptive bits, after the form's numbers. */
  model(): BinaryDecoder;
  /** Bytes that tables may take. */
  readonly room: number;
}

/**
 * Reads the directory at the end of `bytes`: the directory alone, or a block. `room`: bytes of memory that may be taken
 * for `blockBytes` stored ones, apart from the rows. Throws `corrupt`.
 */
export function readDirectory(
  bytes: Uint8Array,
  rows: number,
  blockBytes: number,
  room: number,
  openForm: (form: number, source: FormReader) => RowDecoder,
): Directory {
  const length = directoryBytes(bytes);
  const reader = new ByteReader(bytes.subarray(bytes.length - length, bytes.length - TRAILER));
  const form = reader.varint('form of rows', FORMS.quantized);
  const rowsPerGroup = reader.varint('rows of a group', rows);
  if (rowsPerGroup === 0) throw corrupt('rows of a group', 0, 'at least 1');
  const groups = Math.ceil(rows / rowsPerGroup);
  if (groups * (LEAST_GROUP + HASH_BYTES) > blockBytes) {
    throw corrupt('block has no room for its groups', blockBytes, `${groups} groups`);
  }
  const least = 2 * reader.varint('least length of a group', blockBytes);
  if (least < LEAST_GROUP) throw corrupt('least length of a group', least, `at least ${LEAST_GROUP}`);
  const bits = reader.varint('bits of a length', MAX_LENGTH_BITS);
  const model = () => {
    const modelBytes = reader.varint('tables', reader.bytes.length);
    return new BinaryDecoder(reader.take('tables', modelBytes));
  };
  const decoder = openForm(form, { reader, model, room });
  const coded = reader.take('lengths of groups', reader.bytes.length - reader.offset);
  const starts = readLengths(coded, groups, least, bits);
  const wanted = starts[groups] + groups * HASH_BYTES + length;
  if (wanted !== blockBytes) throw corrupt('block is not as long as its directory says', blockBytes, wanted);
  return { decoder, rowsPerGroup, starts };
}

/** Bytes of the directory that `bytes` end with. */
function directoryBytes(bytes: Uint8Array): number {
  if (bytes.length < TRAILER) throw corrupt('block has no room for its directory', bytes.length, TRAILER);
  const { buffer, byteOffset } = bytes;
  const length = new DataView(buffer, byteOffset, bytes.length).getUint32(bytes.length - TRAILER, true);
  if (length < TRAILER || length > bytes.length) {
    throw corrupt('length of the directory', length, `${TRAILER} to ${bytes.length}`);
  }
  return length;
}
