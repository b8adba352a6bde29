import {
  type ByteSource,
  checkLimit,
  DEFAULT_LIMITS,
  type Limits,
  locateError,
  PruneError,
  type RandomAccess,
  tensorFromBytes,
} from '@prune/core';
import type { Checkpoint, OpenOptions } from './checkpoint.js';
import { ownSource } from './own-source.js';
import { pieceReader } from './piece-reader.js';
import { parseSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.js';
import { tensorPieces } from './tensor-pieces.js';

/**
 * Opens a safetensors file: reads and checks its header (at most `limits.headerBytes`), then each tensor by its byte range.
 * Takes over the source: `close()` closes it, and so does a failed opening. Throws `truncated`, `corrupt`, `unsupported`, `limit`.
 */
export async function openSafetensors(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const { limits = DEFAULT_LIMITS } = options;
  return ownSource(source, options.name, async (bytes) => {
    const { entries, dataStart, totalBytes } = await readHeader(bytes, limits);
    if (totalBytes !== bytes.size) {
      const code = bytes.size < totalBytes ? 'truncated' : 'corrupt';
      throw new PruneError(code, { what: 'file size does not fit its header', got: bytes.size, wanted: totalBytes });
    }
    const readPieces = pieceReader(bytes);
    return {
      name: bytes.name,
      format: 'safetensors',
      keys: () => entries.keys(),
      info: (name) => entries.get(name),
      async get(name) {
        const entry = entries.get(name);
        if (entry === undefined) return undefined;
        const place = { where: bytes.name, tensor: name };
        try {
          const data = await bytes.read(dataStart + entry.begin, entry.end - entry.begin);
          return tensorFromBytes(entry.dtype, entry.shape, data, place, limits);
        } catch (error) {
          throw locateError(error, place);
        }
      },
      pieces(name) {
        const entry = entries.get(name);
        if (entry === undefined) return undefined;
        const place = { where: bytes.name, tensor: name };
        return tensorPieces(entry, () => readPieces(dataStart + entry.begin, dataStart + entry.end), place, limits);
      },
      close: () => bytes.close(),
    };
  });
}

/** The size that a safetensors file declares by its first bytes; `undefined` while they are too few to tell. */
export async function declaredSafetensorsBytes(head: RandomAccess, limits: Limits): Promise<number | undefined> {
  if (head.size < 8 || head.size < 8 + (await headerLength(head, limits))) return undefined;
  return (await readHeader(head, limits)).totalBytes;
}

async function headerLength(bytes: RandomAccess, limits: Limits): Promise<number> {
  const prologue = await bytes.read(0, 8);
  const length = Number(new DataView(prologue.buffer, prologue.byteOffset, 8).getBigUint64(0, true));
  checkLimit('safetensors header is too large (bytes)', length, limits.headerBytes);
  return length;
}

async function readHeader(
  bytes: RandomAccess,
  limits: Limits,
): Promise<{ entries: Map<string, SafetensorsEntry>; dataStart: number; totalBytes: number }> {
  const dataStart = 8 + (await headerLength(bytes, limits));
  const raw = await bytes.read(8, dataStart - 8);
  if (raw[0] !== 0x7b) throw new PruneError('corrupt', { what: 'safetensors header does not begin with "{"' });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch (cause) {
    throw new PruneError('corrupt', { what: 'safetensors header is not UTF-8', cause });
  }
  const { entries, dataBytes } = parseSafetensorsHeader(text, limits);
  const totalBytes = dataStart + dataBytes;
  return { entries, dataStart, totalBytes };
}
