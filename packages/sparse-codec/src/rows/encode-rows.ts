import { type EncodedPiece, type NamedTensor, Pacer, type Sha256 } from '@prune/core';
import { MAX_EXPANSION } from '../expansion.js';
import { HASH_BYTES, LEAST_GROUP, writeDirectory } from './directory.js';
import { GroupCoder } from './group-coder.js';
import type { RowEncoder } from './row-form.js';
import { TABLE_BYTES } from './slot-tables.js';
import { rowElements, type Table } from './table.js';
import { tableOf } from './table-of.js';

/**
 * Bytes that the rows of a group take at least: its checksum, coder state, hash and length are 21 bytes, which stays
 * below 3 %. With 3 rows a group, not 4, the words of a text of 150 words take 105 kB of `mini-qa` in place of 134 kB.
 */
const GROUP_BYTES = 800;

/**
 * Decoded bytes of a group of several rows at most, so that rows which take no bits do not make one group of a table.
 */
const MAX_GROUP_DECODED = 1 << 14;

/** The most that a table may grow. */
const MAX_SIZE = 1.03;

/** Bytes that are handed out together, and elements that they stand for at most, so that an event waits a few ms. */
const PIECE_BYTES = 1 << 16;
const PIECE_ELEMENTS = 1 << 16;

/** The block of a table, in pieces; `undefined` where the table is left to the next codec. */
export async function encodeRows(
  tensors: readonly NamedTensor[],
  sha256: Sha256,
): Promise<AsyncIterable<EncodedPiece> | undefined> {
  const table = tableOf(tensors);
  if (table === undefined) return undefined;
  const encoder = await table.fit(tensors, new Pacer());
  const rowsPerGroup = groupedRows(encoder, table);
  const groups = Math.ceil(table.rows / rowsPerGroup);
  const added = groups * (LEAST_GROUP + HASH_BYTES);
  const payload = encoder.coder.bytes + table.rows * encoder.rawBytes;
  const raw = table.rows * table.rowBytes;
  // The coder rounds, so a block may have less than this sum says; the frequencies in a directory are more.
  const least = added + 0.9 * payload;
  if (raw + TABLE_BYTES * encoder.coder.filled > MAX_EXPANSION * least) return undefined;
  const directory = writeDirectory(encoder, rowsPerGroup, new Uint32Array(groups)).length + groups;
  if (added + payload + directory > MAX_SIZE * raw) return undefined;
  return pieces(table, encoder, rowsPerGroup, sha256, tensors.length === 1 ? 0 : undefined);
}

function groupedRows({ coder, rawBytes }: RowEncoder, { rows, rowBytes }: Table): number {
  const perRow = coder.bytes / rows + rawBytes;
  const most = Math.floor(MAX_GROUP_DECODED / rowBytes);
  return Math.max(1, Math.min(Math.ceil(GROUP_BYTES / Math.max(1, perRow)), most, rows));
}

async function* pieces(
  table: Table,
  encoder: RowEncoder,
  rowsPerGroup: number,
  sha256: Sha256,
  tensor: number | undefined,
): AsyncGenerator<EncodedPiece> {
  const pacer = new Pacer();
  const writer = new GroupWriter(table.rows, rowElements(table), encoder, rowsPerGroup, sha256);
  for (;;) {
    await pacer.pause();
    const bytes = writer.next();
    if (bytes === undefined) break;
    yield { bytes, tensor };
  }
  yield { bytes: writer.hashes, tensor, part: true };
  yield { bytes: writeDirectory(encoder, rowsPerGroup, writer.lengths), tensor, part: true };
}

/** Codes groups one after the other. A class, because V8 does not optimize a loop inside a generator while it runs. */
class GroupWriter {
  readonly lengths: Uint32Array;
  readonly hashes: Uint8Array;
  private readonly coder: GroupCoder;
  private group = 0;

  constructor(
    private readonly rows: number,
    private readonly elements: number,
    private readonly encoder: RowEncoder,
    private readonly rowsPerGroup: number,
    private readonly sha256: Sha256,
  ) {
    const groups = Math.ceil(rows / rowsPerGroup);
    this.lengths = new Uint32Array(groups);
    this.hashes = new Uint8Array(groups * HASH_BYTES);
    this.coder = new GroupCoder(encoder.coder, rowsPerGroup * encoder.symbols, rowsPerGroup * encoder.rawBytes);
  }

  /** The next groups, joined; `undefined` after the last. */
  next(): Uint8Array | undefined {
    const { encoder, rowsPerGroup, rows, coder } = this;
    const groups: Uint8Array[] = [];
    let size = 0;
    const most = Math.min(
      this.lengths.length,
      this.group + Math.max(1, Math.floor(PIECE_ELEMENTS / (rowsPerGroup * this.elements))),
    );
    for (; size < PIECE_BYTES && this.group < most; this.group++) {
      const end = Math.min(rows, (this.group + 1) * rowsPerGroup);
      for (let row = this.group * rowsPerGroup; row < end; row++) encoder.encodeRow(row, coder);
      const bytes = coder.finish();
      this.lengths[this.group] = bytes.length;
      this.hashes.set(this.sha256(bytes).subarray(0, HASH_BYTES), this.group * HASH_BYTES);
      groups.push(bytes);
      size += bytes.length;
    }
    if (groups.length === 0) return undefined;
    const joined = new Uint8Array(size);
    let at = 0;
    for (const bytes of groups) {
      joined.set(bytes, at);
      at += bytes.length;
    }
    return joined;
  }
}
