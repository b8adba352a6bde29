import { type CsrMatrix, DEFAULT_LIMITS, type NamedInfo, type NamedTensor, Pacer, tensor } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { blockBytes, csrOf, prunedMatrix } from './csr.fixture.js';
import { decodeCsr } from './decode-csr.js';
import { encodeCsr } from './encode-csr.js';
import { entropyCodec } from './entropy-codec.js';
import { decodedBytes, LEAST_BLOCK_NONZEROS, MAX_EXPANSION } from './expansion.js';
import { encodeFloats } from './float-block.js';
import { forgeMatrix, type MatrixFields, NO_MASK, NO_VALUES } from './forge.fixture.js';
import { joined } from './joined.js';
import { openCsr } from './open-csr.js';
import { encodeTable } from './table-block.js';

const codec = entropyCodec();

/** A matrix whose nonzeros lie in its last column, in rows far from each other. */
function almostEmpty(rows: number, columns: number, nnz: number): CsrMatrix {
  const indptr = Int32Array.from({ length: rows + 1 }, (_, row) => Math.floor((row * nnz) / rows));
  const indices = new Uint16Array(nnz).fill(columns - 1);
  return { shape: [rows, columns], indptr, indices, data: new Int8Array(nnz).fill(3) };
}

function tripleOf({ indptr, indices, data }: CsrMatrix): NamedTensor[] {
  const at = 'm._packed_params.weight.int_repr';
  return [
    { name: `${at}.data`, ...tensor('int8', [data.length], data as Int8Array<ArrayBuffer>) },
    { name: `${at}.indptr`, ...tensor('int32', [indptr.length], indptr as Int32Array<ArrayBuffer>) },
    { name: `${at}.indices`, ...tensor('uint16', [indices.length], indices as Uint16Array<ArrayBuffer>) },
  ];
}

const zeros = (...shape: number[]): NamedTensor => ({
  name: 'x',
  ...tensor('float32', shape, new Float32Array(shape.reduce((a, b) => a * b))),
});

describe('the writer', () => {
  test.each([
    ['no nonzeros, in the plain form', almostEmpty(30_522, 768, 0)],
    ['one nonzero in 3,072 x 3,072', almostEmpty(3072, 3072, 1)],
    ['one nonzero in 768 x 3,072', almostEmpty(768, 3072, 1)],
    ['a hundred nonzeros in 30,522 x 768', almostEmpty(30_522, 768, 100)],
    ['nothing but ones', csrOf(Array.from({ length: 300 }, () => Array(300).fill(1)))],
  ])('keeps a matrix of %s', async (_, matrix) => {
    const tensors = tripleOf(matrix);
    const bytes = blockBytes(await codec.encode(tensors));
    const back = await codec.decode(bytes, tensors, DEFAULT_LIMITS);
    expect(back).toEqual(tensors.map(({ dtype, shape, data }) => ({ dtype, shape, data })));
  });

  test('leaves a matrix of many rows and hardly any nonzeros to the next codec; alone, it is plain', async () => {
    const matrix = almostEmpty(30_522, 768, 1);
    expect(await codec.encode(tripleOf(matrix))).toBeUndefined();
    const bytes = encodeCsr(matrix);
    expect(openCsr(bytes).form).toBe('plain');
    expect(decodeCsr(bytes).indptr).toEqual(matrix.indptr);
  });

  test('leaves a large tensor of equal elements to the next codec, and keeps a bias of zeros', async () => {
    expect(await codec.encode([zeros(512, 768)])).toBeUndefined();
    expect(blockBytes(await codec.encode([zeros(3072)])).length).toBeGreaterThan(0);
  });

  test('leaves out contexts whose tables a small matrix may not have', () => {
    // Small magnitudes in dense rows, large ones in sparse rows: contexts gain, but in too few bytes.
    const dense = Array.from({ length: 40 }, (_, r) =>
      Array.from({ length: 60 }, (_, c) => (r < 2 ? 1 : (r * 7 + c) % 60 < 2 ? 90 : 0)),
    );
    const matrix = csrOf(dense);
    const bytes = encodeCsr(matrix, { preset: 'max' });
    expect(decodeCsr(bytes).data).toEqual(matrix.data);
    expect(bytes.length).toBeLessThan((4096 * 4 * 15) / MAX_EXPANSION);
  });
});

describe('the reader refuses', () => {
  /** Rows without nonzeros, which take no bits. */
  const emptyRows = (rows: number, change: Partial<MatrixFields> = {}) => {
    const columns = change.columns ?? 1;
    return forgeMatrix({
      form: 'fast',
      rows,
      columns,
      nnz: 0,
      columnClass: new Uint8Array(columns),
      rowClass: new Uint8Array(rows),
      levels: new Uint16Array(128).fill(1),
      blocks: [{ rows, nnz: 0, mask: NO_MASK, values: NO_VALUES }],
      ...change,
    });
  };
  const groups = 8;
  const starts = Array.from({ length: groups - 1 }, (_, i) => i);
  const contexts = {
    groups,
    rowStarts: starts,
    columnStarts: starts,
    tilts: Array.from({ length: groups * groups }, () => ({ slope: 0, curve: 0 })),
  };
  const block = { rows: 0, nnz: 0, mask: NO_MASK, values: NO_VALUES };

  test('nothing that keeps to the ratio', () => {
    const bytes = emptyRows(3000);
    expect(decodeCsr(bytes)).toMatchObject({ shape: [3000, 1], indptr: new Int32Array(3001) });
    expect(decodedBytes({ rows: 3000, columns: 1, nnz: 0, groups: 1 })).toBeLessThan(MAX_EXPANSION * bytes.length);
  });

  test.each([
    ['rows that take no bits', emptyRows(400_000)],
    ['columns that take no bits', emptyRows(1, { columns: 65_535, columnClass: new Uint8Array(65_535) })],
    ['tables of contexts that take no bits', emptyRows(1, { form: 'max', contexts })],
    ['blocks without nonzeros', emptyRows(1, { blocks: [block, block, { ...block, rows: 1 }] })],
    [
      'nonzeros that take less than a bit',
      emptyRows(1, { columns: 200, nnz: 150, blocks: [{ ...block, rows: 1, nnz: 150 }] }),
    ],
  ])('%s', async (_, bytes) => {
    expect(await codeOf(() => openCsr(bytes))).toBe('corrupt');
  });

  test('more rows than a model may have, whatever the length', async () => {
    const bytes = new Uint8Array(200_000);
    bytes.set([1, 255, 255, 255, 15]);
    expect(await codeOf(() => openCsr(bytes))).toBe('corrupt');
  });

  test('dense tensors that take no bits', async () => {
    const at = 'e._packed_params._packed_weight';
    const rows = 2000;
    const table: NamedInfo[] = [
      { name: `${at}.scale`, dtype: 'float32', shape: [rows] },
      { name: `${at}.zero_point`, dtype: 'float32', shape: [rows] },
      { name: `${at}.int_repr`, dtype: 'uint8', shape: [rows, 768] },
    ];
    const ofZeros = {
      scale: new Float32Array(rows).fill(1),
      zeroPoint: new Float32Array(rows),
      intRepr: new Uint8Array(768 * rows),
    };
    for (const [bytes, infos] of [
      [joined([], await encodeFloats(zeros(512, 768), new Pacer())), [zeros(512, 768)]],
      [joined([], await encodeTable(ofZeros, new Pacer())), table],
    ] as const) {
      expect(await codeOf(async () => codec.decode(bytes, infos, DEFAULT_LIMITS))).toBe('corrupt');
    }
    // Smaller than what a manifest holds without a block.
    const tiny = tensor('float32', [1], Float32Array.of(1));
    const bytes = joined([], await encodeFloats(tiny, new Pacer()));
    expect(await codeOf(async () => codec.decode(bytes, [{ name: 'x', ...tiny }], DEFAULT_LIMITS))).toBe('corrupt');
  });
});

test('the encoder keeps to the number of blocks that the reader takes', () => {
  for (const [rows, columns] of [
    [1, 60_000],
    [60_000, 1],
    [300, 300],
  ]) {
    for (const preset of ['fast', 'max'] as const) {
      const { blocks, nnz } = openCsr(encodeCsr(prunedMatrix(rows, columns, 10, 3), { preset }));
      expect(blocks.length).toBeLessThanOrEqual(2 + Math.floor(nnz / LEAST_BLOCK_NONZEROS));
    }
  }
});
