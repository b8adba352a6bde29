import { storeBlock } from './memory';

// The inner loop of attention, for its scores and for its context: a block of queries (two vectors, four in the wide build) times four columns.
// What is exported in index.ts is not inlined: in functions of their own, V8 unrolls these loops.

/**
 * Sums of products, floats or pairs of int16; these as floats, times what a code of each query and of each column is worth.
 * shapes: p [rows][block], q [rows][4] -> to f32[4][block]; queryUnits f32[block], columnUnits f32[4]
 */
@inline function products(int16: bool, vectors: i32, p: i32, rows: i32, q: i32, to: i32, queryUnits: i32, columnUnits: i32): void {
  const row = vectors << 4;
  const four = vectors > 2;
  let a0 = f32x4.splat(0);
  let a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
  for (const end = p + rows * row; p < end; p += row) {
    const p0 = v128.load(p), p1 = v128.load(p, 16);
    const p2 = four ? v128.load(p, 32) : p0, p3 = four ? v128.load(p, 48) : p0;
    const qa = v128.load_splat<u32>(q);
    a0 = added(int16, a0, p0, qa);
    a1 = added(int16, a1, p1, qa);
    if (four) {
      a2 = added(int16, a2, p2, qa);
      a3 = added(int16, a3, p3, qa);
    }
    const qb = v128.load_splat<u32>(q, 4);
    b0 = added(int16, b0, p0, qb);
    b1 = added(int16, b1, p1, qb);
    if (four) {
      b2 = added(int16, b2, p2, qb);
      b3 = added(int16, b3, p3, qb);
    }
    const qc = v128.load_splat<u32>(q, 8);
    c0 = added(int16, c0, p0, qc);
    c1 = added(int16, c1, p1, qc);
    if (four) {
      c2 = added(int16, c2, p2, qc);
      c3 = added(int16, c3, p3, qc);
    }
    const qd = v128.load_splat<u32>(q, 12);
    d0 = added(int16, d0, p0, qd);
    d1 = added(int16, d1, p1, qd);
    if (four) {
      d2 = added(int16, d2, p2, qd);
      d3 = added(int16, d3, p3, qd);
    }
    q += 16;
  }
  storeProducts(int16, vectors, to + 3 * row, d0, d1, d2, d3, queryUnits, columnUnits + 12);
  storeProducts(int16, vectors, to + 2 * row, c0, c1, c2, c3, queryUnits, columnUnits + 8);
  storeProducts(int16, vectors, to + row, b0, b1, b2, b3, queryUnits, columnUnits + 4);
  storeProducts(int16, vectors, to, a0, a1, a2, a3, queryUnits, columnUnits);
}

@inline function added(int16: bool, sum: v128, p: v128, q: v128): v128 {
  return int16 ? i32x4.add(sum, i32x4.dot_i16x8_s(p, q)) : f32x4.add(sum, f32x4.mul(p, q));
}

@inline function storeProducts(
  int16: bool, vectors: i32, to: i32, a: v128, b: v128, c: v128, d: v128, queryUnits: i32, columnUnit: i32,
): void {
  if (!int16) {
    storeBlock(vectors, to, a, b, c, d);
    return;
  }
  const unit = v128.load_splat<u32>(columnUnit);
  const x = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(a), v128.load(queryUnits)), unit);
  const y = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(b), v128.load(queryUnits, 16)), unit);
  const z = vectors > 2 ? f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(c), v128.load(queryUnits, 32)), unit) : x;
  const w = vectors > 2 ? f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(d), v128.load(queryUnits, 48)), unit) : y;
  storeBlock(vectors, to, x, y, z, w);
}

export function productsFloat8(p: i32, rows: i32, q: i32, to: i32): void { products(false, 2, p, rows, q, to, 0, 0); }
export function productsFloat16(p: i32, rows: i32, q: i32, to: i32): void { products(false, 4, p, rows, q, to, 0, 0); }
export function productsInt16x8(p: i32, rows: i32, q: i32, to: i32, queryUnits: i32, columnUnits: i32): void {
  products(true, 2, p, rows, q, to, queryUnits, columnUnits);
}
export function productsInt16x16(p: i32, rows: i32, q: i32, to: i32, queryUnits: i32, columnUnits: i32): void {
  products(true, 4, p, rows, q, to, queryUnits, columnUnits);
}

@inline export function productsFloat(vectors: i32, p: i32, rows: i32, q: i32, to: i32): void {
  if (WIDE && vectors == 4) productsFloat16(p, rows, q, to);
  else productsFloat8(p, rows, q, to);
}

@inline export function productsInt16(vectors: i32, p: i32, rows: i32, q: i32, to: i32, queryUnits: i32, columnUnits: i32): void {
  if (WIDE && vectors == 4) productsInt16x16(p, rows, q, to, queryUnits, columnUnits);
  else productsInt16x8(p, rows, q, to, queryUnits, columnUnits);
}
