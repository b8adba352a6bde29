import * as zlib from 'node:zlib';
import type { CsrMatrix } from '@prune/core';
import { decodeCsr, encodeCsr, type Preset } from '@prune/sparse-codec';

/** A way to turn a CSR matrix into bytes and back, whole arrays in memory on both sides. */
export interface CsrForm {
  readonly form: string;
  /** Times that encoding is measured: once where it takes a minute. */
  readonly encodings: number;
  encode(matrix: CsrMatrix): readonly Uint8Array[];
  decode(parts: readonly Uint8Array[], shape: CsrMatrix['shape']): CsrMatrix;
}

// Node 22.15 and later; the types are those of Node 20.
interface Zstd {
  zstdCompressSync?(bytes: Uint8Array, options: object): Uint8Array;
  zstdDecompressSync?(bytes: Uint8Array): Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
}

/** `entropy` in both presets, then general compressors over the same three arrays, each array alone: the ones that this Node has. */
export function csrForms(): CsrForm[] {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN } = zlib.constants;
  const brotli = { params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 24 } };
  const zstd = zlib as unknown as Zstd;
  const forms = [
    entropy('fast'),
    entropy('max'),
    general('gzip 9', 1, (bytes) => zlib.gzipSync(bytes, { level: 9 }), zlib.gunzipSync),
    general('brotli 11', 1, (bytes) => zlib.brotliCompressSync(bytes, brotli), zlib.brotliDecompressSync),
  ];
  const { zstdCompressSync, zstdDecompressSync } = zstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return forms;
  const params = { [zstd.constants.ZSTD_c_compressionLevel!]: 19 };
  return [...forms, general('zstd 19', 1, (bytes) => zstdCompressSync(bytes, { params }), zstdDecompressSync)];
}

function entropy(preset: Preset): CsrForm {
  return {
    form: `entropy, ${preset}`,
    encodings: 3,
    encode: (matrix) => [encodeCsr(matrix, { preset })],
    decode: ([bytes]) => decodeCsr(bytes),
  };
}

function general(
  form: string,
  encodings: number,
  compress: (bytes: Uint8Array) => Uint8Array,
  decompress: (bytes: Uint8Array) => Uint8Array,
): CsrForm {
  return {
    form,
    encodings,
    encode: ({ indptr, indices, data }) => [indptr, indices, data].map((array) => compress(bytesOf(array))),
    decode([indptr, indices, data], shape) {
      const wide = shape[1] > 65_535;
      return {
        shape,
        indptr: new Int32Array(aligned(decompress(indptr))),
        indices: wide ? new Int32Array(aligned(decompress(indices))) : new Uint16Array(aligned(decompress(indices))),
        data: new Int8Array(aligned(decompress(data))),
      };
    },
  };
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Node hands out small results as views of a pool, at any offset; a copy only then. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  // A Buffer's own slice would be a view.
  return (whole ? bytes : Uint8Array.from(bytes)).buffer as ArrayBuffer;
}
