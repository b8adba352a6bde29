import {
  type BlockBytes,
  type ByteRange,
  type Crc32,
  checkAborted,
  inBlocks,
  locateError,
  Pacer,
  PruneError,
  type RandomAccess,
} from '@prune/core';
import { crcInTurns } from '../crc-in-turns.js';
import { readAhead } from '../read-ahead.js';
import { type CreateSha256, sha256Of } from '../running-sha256.js';
import type { BlockPlace } from './base-files.js';
import { hex } from './hex.js';
import type { Manifest } from './manifest.js';

/** Reads the blocks of a container, which may lie in other files, and checks what it read. */
export interface BlockReader {
  /** A block, whole. */
  whole(number: number): Promise<Uint8Array>;
  /** Several blocks, whole. Neighbours come from one read. */
  together(numbers: readonly number[]): Promise<Uint8Array[]>;
  /** A block piece by piece, `bytes` at a time; the last piece comes only when all of them passed the checks. */
  pieces(number: number, bytes: number, signal?: AbortSignal): AsyncGenerator<Uint8Array>;
  /** A block of which parts and ranges are read. */
  ranges(number: number): BlockBytes;
  /** Reads own blocks, which ascend, for a source that keeps what was read: see `MsgpackStore.fetchAhead`. */
  fetchAhead(numbers: readonly number[], most: number, signal?: AbortSignal): Promise<void>;
}

/** What a {@link blockReader} needs. */
export interface BlockReaderOptions {
  readonly source: Required<RandomAccess>;
  readonly manifest: Manifest;
  /** Where the own blocks end. */
  readonly end: number;
  /** Where a block of a base is. */
  inBase(number: number): Promise<BlockPlace>;
  readonly crc32: Crc32;
  readonly createSha256: CreateSha256;
  /** Whether SHA-256 is checked too. */
  readonly hashed: boolean;
}

interface Sums {
  readonly crc32: number;
  readonly sha256?: Uint8Array;
}

/** Throws `corrupt` for bytes with other sums than the manifest has, `missing` and `mismatch` for a base. */
export function blockReader(options: BlockReaderOptions): BlockReader {
  const { source, manifest, end, inBase, crc32, createSha256, hashed } = options;
  const { blocks } = manifest;
  const stops = readAheadStops(manifest, end);
  const ahead = readAhead(source, (offset) => stops.find((stop) => stop > offset) ?? end);

  /** Where a block is. Own blocks are read ahead when they are read whole. */
  async function placeOf(number: number) {
    const { offset } = blocks[number];
    if (offset !== undefined) return { start: offset, source, whole: ahead, where: undefined };
    const place = await inBase(number);
    return { start: place.offset, source: place.source, whole: place.source, where: place.source.name };
  }

  async function check(bytes: Uint8Array, wanted: Sums, what: string, where: string | undefined) {
    const pacer = new Pacer();
    const crc = await crcInTurns(bytes, crc32, pacer);
    if (crc !== wanted.crc32) {
      throw new PruneError('corrupt', { where, what: `CRC-32 of ${what}`, got: crc, wanted: wanted.crc32 });
    }
    if (!hashed) return;
    const sum = createSha256();
    await inBlocks(bytes.length, pacer, (from, to) => sum.update(bytes.subarray(from, to)));
    checkSha256(sum.digest(), wanted, what, where);
  }

  async function readWhole(number: number): Promise<Uint8Array> {
    const { start, whole, where } = await placeOf(number);
    const bytes = await whole.read(start, blocks[number].length);
    await check(bytes, blocks[number], 'the stored bytes', where);
    return bytes;
  }

  return {
    whole: readWhole,
    async together(numbers) {
      if (numbers.some((number) => blocks[number].offset === undefined)) return Promise.all(numbers.map(readWhole));
      const read = await source.readRanges(
        numbers.map((number): ByteRange => [blocks[number].offset!, blocks[number].offset! + blocks[number].length]),
      );
      for (const [i, number] of numbers.entries()) await check(read[i], blocks[number], 'the stored bytes', undefined);
      return read;
    },
    async *pieces(number, most, signal) {
      const { start, source, where } = await placeOf(number);
      const { length, ...wanted } = blocks[number];
      const pacer = new Pacer();
      const sum = createSha256();
      let crc = 0;
      for (let at = 0; at < length || at === 0; at += most) {
        checkAborted(signal);
        const bytes = await source.read(start + at, Math.min(most, length - at));
        await inBlocks(bytes.length, pacer, (from, to) => {
          crc = crc32(bytes.subarray(from, to), crc);
          sum.update(bytes.subarray(from, to));
        });
        if (at + most >= length) {
          const what = 'CRC-32 of the stored bytes';
          if (crc !== wanted.crc32) throw new PruneError('corrupt', { where, what, got: crc, wanted: wanted.crc32 });
          checkSha256(sum.digest(), wanted, 'the stored bytes', where);
        }
        yield bytes;
      }
    },
    ranges(number) {
      const { length, parts } = blocks[number];
      const inBlock = (start: number, end: number) => start >= 0 && start <= end && end <= length;
      return {
        length,
        parts: parts.map((part) => part.length),
        async part(index) {
          if (!(index in parts)) throw new PruneError('corrupt', { what: 'no such part of the block', got: index });
          const { start, source, where } = await placeOf(number);
          const after = parts.slice(index).reduce((sum, part) => sum + part.length, 0);
          const bytes = await source.read(start + length - after, parts[index].length);
          await check(bytes, parts[index], `part ${index} of the block`, where);
          return bytes;
        },
        async read(ranges, signal) {
          checkAborted(signal);
          const bad = ranges.find(([start, end]) => !inBlock(start, end));
          if (bad !== undefined) {
            const wanted = `bytes 0 to ${length}`;
            throw new PruneError('corrupt', { what: 'a range outside of the block', got: bad.join(' to '), wanted });
          }
          const { start, source, where } = await placeOf(number);
          const placed = ranges.map(([from, to]): ByteRange => [start + from, start + to]);
          try {
            return await source.readRanges(placed, signal);
          } catch (error) {
            throw where === undefined ? error : locateError(error, { where });
          }
        },
        ...(hashed && { sha256: sha256Of(createSha256) }),
      };
    },
    async fetchAhead(numbers, most, signal) {
      const ranges: [start: number, end: number][] = [];
      let left = most;
      for (const number of numbers) {
        const { offset, length, parts } = blocks[number];
        if (offset === undefined) continue;
        // The last part says where the rows lie. Those before it are needed to check hashes alone.
        const needed = parts.slice(hashed ? 0 : -1).reduce((sum, part) => sum + part.length, 0) || length;
        if (needed > left) continue;
        left -= needed;
        const [start, end] = [offset + length - needed, offset + length];
        const last = ranges.at(-1);
        if (last?.[1] === start) last[1] = end;
        else ranges.push([start, end]);
      }
      await source.readRanges(ranges, signal);
    },
  };
}

/**
 * Where reading ahead ends: before blocks that may be read in parts or not at all, which are tables of rows and files,
 * and where the own blocks end.
 */
function readAheadStops({ blocks, models }: Manifest, end: number): number[] {
  const files = new Set(models.flatMap((model) => (model.files ?? []).map(({ block }) => block)));
  const stops = blocks.flatMap(({ offset, parts }, number) =>
    offset !== undefined && (parts.length > 0 || files.has(number)) ? offset : [],
  );
  return [...stops, end];
}

function checkSha256(got: Uint8Array, { sha256 }: Pick<Sums, 'sha256'>, what: string, where: string | undefined) {
  // Files of version 1 have none.
  if (sha256 === undefined || hex(got) === hex(sha256)) return;
  throw new PruneError('corrupt', { where, what: `SHA-256 of ${what}`, got: hex(got), wanted: hex(sha256) });
}
