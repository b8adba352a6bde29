/**
 * The ways of the kernels to multiply and add: `i16x8.mul` with `i16x8.add`, the relaxed dot product of int8 pairs with `i16x8.add`, or that of
 * four, which adds by itself.
 */
export type PeakKernel = 'wasm-simd' | 'wasm-relaxed' | 'wasm-dot4';

/** Multiply-adds of one step. */
const WIDTH: Readonly<Record<PeakKernel, number>> = { 'wasm-simd': 8, 'wasm-relaxed': 16, 'wasm-dot4': 16 };
/** Independent chains: enough to hide the latency of six cycles twice over, few enough for 16 registers. */
const CHAINS = 12;
const ITERATIONS = 4_000_000;

/**
 * The most multiply-adds a second that one thread of this machine does in WebAssembly with a kernel's own instructions, everything in registers: the roof over any
 * kernel that uses them. The best of several runs, after the optimizing compiler is done. `undefined` where this engine has no relaxed SIMD.
 */
export async function wasmPeak(kernel: PeakKernel): Promise<number | undefined> {
  const bytes = peakModule(kernel);
  if (!WebAssembly.validate(bytes)) return undefined;
  const { instance } = await WebAssembly.instantiate(bytes);
  const run = instance.exports.run as (iterations: number) => number;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    run(ITERATIONS);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return (ITERATIONS * CHAINS * WIDTH[kernel]) / best;
}

/**
 * `run(n)`: n times, `x_k = x_k * b + c` in every chain k, or `x_k = b * c + x_k` where the product adds by itself. Each step needs the one
 * before, so nothing can be moved out of the loop.
 * Locals: 0 n, 1 .. CHAINS the x_k, then b and c. Encodings: WebAssembly 3.0, section 5.
 */
function peakModule(kernel: PeakKernel): Uint8Array<ArrayBuffer> {
  const [get, set, i32Const] = [0x20, 0x21, 0x41];
  const simd = (opcode: number) => [0xfd, ...leb(opcode)];
  const [splat, extractLane, add] = [simd(0x10), simd(0x19), simd(0x8e)];
  const multiply = simd(kernel === 'wasm-simd' ? 0x95 : 0x112);
  const dotAdd = simd(0x113);
  const [b, c] = [CHAINS + 1, CHAINS + 2];
  const chains = Array.from({ length: CHAINS }, (_, k) => k + 1);
  const step = (k: number) =>
    kernel === 'wasm-dot4'
      ? [get, b, get, c, get, k, ...dotAdd, set, k]
      : [get, k, get, b, ...multiply, get, c, ...add, set, k];
  const fill = (local: number, value: number) => [i32Const, value, ...splat, set, local];
  const body = [
    ...leb(1),
    ...leb(CHAINS + 2),
    0x7b,
    ...chains.flatMap((k) => fill(k, k)),
    ...fill(b, 3),
    ...fill(c, 5),
    0x03,
    0x40,
    ...chains.flatMap(step),
    // n = n - 1, and again unless it is 0.
    get,
    0,
    i32Const,
    1,
    0x6b,
    0x22,
    0,
    0x0d,
    0,
    0x0b,
    get,
    1,
    ...chains.slice(1).flatMap((k) => [get, k, ...add]),
    ...extractLane,
    0,
    0x0b,
  ];
  const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content];
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...Buffer.from('run'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}
