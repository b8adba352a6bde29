import {
  type BlockBytes,
  type Codec,
  DEFAULT_LIMITS,
  type EncodedPiece,
  type NamedTensor,
  type Sha256,
  type TensorData,
  tensor,
} from '@prune/core';

/** A block as a store has it: its bytes, and how long the parts are that it ends with. */
export interface StoredBlock {
  readonly bytes: Uint8Array;
  readonly parts: readonly number[];
}

/** What a codec makes of tensors; `undefined` where it leaves them to the next codec. */
export async function storedBlock(codec: Codec, tensors: readonly NamedTensor[]): Promise<StoredBlock | undefined> {
  const block = await codec.encode(tensors);
  if (block === undefined) return undefined;
  const pieces: EncodedPiece[] = [];
  for await (const piece of block as AsyncIterable<EncodedPiece>) pieces.push(piece);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.bytes.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.bytes, at);
    at += piece.bytes.length;
  }
  return { bytes, parts: pieces.filter(({ part }) => part).map((piece) => piece.bytes.length) };
}

/** A stored block, read by ranges; `reads` collects what was read. */
export function blockBytes(
  { bytes, parts }: StoredBlock,
  options: { readonly sha256?: Sha256; readonly reads?: number[][] } = {},
): BlockBytes {
  const starts = parts.map((_, i) => bytes.length - parts.slice(i).reduce((sum, length) => sum + length, 0));
  return {
    length: bytes.length,
    parts,
    sha256: options.sha256,
    async part(index) {
      options.reads?.push([starts[index], starts[index] + parts[index]]);
      return bytes.slice(starts[index], starts[index] + parts[index]);
    },
    async read(ranges) {
      options.reads?.push(...ranges.map(([start, end]) => [start, end]));
      return ranges.map(([start, end]) => bytes.slice(start, end));
    },
  };
}

/** The rows of a block that `decode` gives, and those that `selectRows` gives. */
export async function rowsBack(
  codec: Codec,
  block: StoredBlock,
  infos: readonly NamedTensor[],
  rows: ArrayLike<number>,
) {
  const whole = await codec.decode(block.bytes, infos, DEFAULT_LIMITS);
  const select = await codec.selectRows?.(blockBytes(block), infos, DEFAULT_LIMITS);
  if (select === undefined) throw new Error('no rows');
  return { whole, some: await select(rows) };
}

/** A float32 table of a function of the element's number. */
export function floatTable(rows: number, width: number, of: (i: number) => number): NamedTensor {
  const data = Float32Array.from({ length: rows * width }, (_, i) => of(i));
  return { name: 'embeddings.weight', ...tensor('float32', [rows, width], data) };
}

/** Rows of a tensor, as `selectRows` gives them. */
export function takenRows({ dtype, shape, data }: NamedTensor, rows: readonly number[]) {
  const width = data.length / shape[0];
  const out = new (data.constructor as new (length: number) => TensorData)(rows.length * width);
  rows.forEach((row, i) => {
    out.set(data.subarray(row * width, (row + 1) * width) as never, i * width);
  });
  return tensor(dtype, [rows.length, ...shape.slice(1)], out as never);
}

/**
 * A table of codes from 0 to `most` (15: two a byte), quantized row by row as PyTorch does, which is written here once
 * more so that the codec is not tested with its own code.
 */
export function quantizedTensors(rows: number, width: number, most: number, of: (i: number) => number): NamedTensor[] {
  const scale = new Float32Array(rows);
  const zeroPoint = new Float32Array(rows);
  const codes = new Uint8Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const values = Float32Array.from({ length: width }, (_, c) => of(r * width + c));
    const min = width === 0 ? 0 : Math.min(...values);
    const range = width === 0 ? 0 : Math.fround(Math.max(...values) - min);
    scale[r] = range <= 2 ** -23 ? 1 : Math.fround(range / most);
    zeroPoint[r] = Math.fround(-min / scale[r]);
    values.forEach((w, c) => {
      const q = Math.fround(Math.fround(w * Math.fround(1 / scale[r])) + zeroPoint[r]);
      const floor = Math.floor(q);
      const even = q - floor === 0.5 ? floor + (floor % 2) : Math.round(q);
      codes[r * width + c] = Math.max(0, Math.min(most, even));
    });
  }
  const stride = most === 15 ? width / 2 : width;
  const intRepr =
    most === 15 ? Uint8Array.from({ length: rows * stride }, (_, i) => codes[2 * i] | (codes[2 * i + 1] << 4)) : codes;
  const at = 'embeddings._packed_params._packed_weight';
  return [
    { name: `${at}.scale`, ...tensor('float32', [rows], scale) },
    { name: `${at}.zero_point`, ...tensor('float32', [rows], zeroPoint) },
    { name: `${at}.int_repr`, ...tensor('uint8', [rows, stride], intRepr) },
  ];
}
