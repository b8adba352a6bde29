import * as zlib from 'node:zlib';
import { type Elementary, tensorBytes } from '@prune/core';
import { partOf } from './part-of.js';
import type { SizeParts } from './size-row.js';

/** A general compressor over each array of the CSR form: what one gets without a format of one's own. Names, shapes and structure are not counted. */
export interface StreamForm {
  readonly form: string;
  readonly note: string;
  /** Models with more bytes of raw arrays are not given to it: it would take many minutes. */
  readonly largest: number;
  /** `undefined` where this Node has no such compressor. */
  readonly compress: ((bytes: Uint8Array) => Uint8Array) | undefined;
  readonly decompress: (bytes: Uint8Array) => Uint8Array;
}

const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24 } };

// Node 22.15 and later; the types are those of Node 20.
interface Zstd {
  zstdCompressSync?(bytes: Uint8Array, options: object): Uint8Array;
  zstdDecompressSync?(bytes: Uint8Array): Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
}
const zstd: Zstd = zlib as unknown as Zstd;

/** gzip 9, brotli 11 and zstd 19 over the raw CSR arrays. */
export const STREAM_FORMS: readonly StreamForm[] = [
  {
    form: 'CSR arrays, gzip 9',
    note: 'each array alone, arrays only',
    largest: Number.POSITIVE_INFINITY,
    compress: (bytes) => zlib.gzipSync(bytes, { level: 9 }),
    decompress: (bytes) => zlib.gunzipSync(bytes),
  },
  {
    form: 'CSR arrays, zstd 19',
    note: 'each array alone, arrays only; Node 22.15 or later',
    largest: 256e6,
    compress:
      zstd.zstdCompressSync &&
      ((bytes) => zstd.zstdCompressSync!(bytes, { params: { [zstd.constants.ZSTD_c_compressionLevel!]: 19 } })),
    decompress: (bytes) => zstd.zstdDecompressSync!(bytes),
  },
  {
    form: 'CSR arrays, brotli 11',
    note: 'each array alone, arrays only',
    largest: 24e6,
    compress: (bytes) => zlib.brotliCompressSync(bytes, brotli),
    decompress: (bytes) => zlib.brotliDecompressSync(bytes),
  },
];

/** The bytes of every array under a compressor, by part; each is decompressed and compared. */
export function streamParts(
  elementary: ReadonlyMap<string, Elementary>,
  { compress, decompress, form }: StreamForm,
): SizeParts {
  const parts = { mask: 0, values: 0, floats: 0, overhead: 0 };
  for (const [name, value] of elementary) {
    if (typeof value === 'string') continue;
    const bytes = tensorBytes(value);
    const compressed = compress!(bytes);
    if (Buffer.compare(decompress(compressed), bytes) !== 0) throw new Error(`${form} does not give ${name} back`);
    parts[partOf(name, value)] += compressed.byteLength;
  }
  return parts;
}
