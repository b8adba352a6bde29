// What tile.c needs of an instruction set: PN_ISA names it, PN_VECTOR is its vector in bytes, PN_SUFFIX ends the names.
// With PN_EMULATE, C code computes what the instructions would: tests on other processors run the same layout.
#ifndef PN_ISA_H
#define PN_ISA_H

#include <math.h>
#include <string.h>
#include "internal.h"

#define PN_ISA_AVX2 1
#define PN_ISA_AVXVNNI 2
#define PN_ISA_AVX512 3
#define PN_ISA_NEON 4

#if PN_ISA == PN_ISA_AVX512
#define PN_VECTOR 64
#elif PN_ISA == PN_ISA_NEON
#define PN_VECTOR 16
#else
#define PN_VECTOR 32
#endif

// Floats of a vector, and tokens of a tile.
#define LANES (PN_VECTOR / 4)
#define TILE PN_VECTOR
#define ROW_BYTES (4 * TILE)

// Not every instruction set uses all of them.
#define INLINE static inline __attribute__((always_inline, unused))

typedef float f32v __attribute__((vector_size(PN_VECTOR)));
typedef int32_t i32v __attribute__((vector_size(PN_VECTOR)));
typedef uint32_t u32v __attribute__((vector_size(PN_VECTOR)));
typedef int16_t i16v __attribute__((vector_size(PN_VECTOR)));
typedef uint8_t u8v __attribute__((vector_size(PN_VECTOR)));
typedef int8_t i8v __attribute__((vector_size(PN_VECTOR)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32v_any __attribute__((vector_size(PN_VECTOR), aligned(4), may_alias));
typedef u8v u8v_any __attribute__((aligned(1), may_alias));
typedef float f32x4_any __attribute__((vector_size(16), aligned(4), may_alias));

INLINE f32v load(const float *p) { return *(const f32v_any *)p; }
INLINE void store(float *p, f32v x) { *(f32v_any *)p = x; }
INLINE f32v splat(float x) { return x - (f32v){}; }
INLINE i32v splat_i(int32_t x) { return x - (i32v){}; }
INLINE i32v bits_of(f32v x) { return (i32v)x; }
INLINE f32v float_of(i32v x) { return (f32v)x; }
INLINE f32v converted(i32v x) { return __builtin_convertvector(x, f32v); }
INLINE i32v choose_i(i32v mask, i32v a, i32v b) { return (mask & a) | (~mask & b); }

#if defined(PN_EMULATE) || PN_ISA == PN_ISA_NEON

INLINE i32v max_i(i32v a, i32v b) { return choose_i(a > b, a, b); }
INLINE i32v max_u(i32v a, i32v b) { return choose_i((i32v)((u32v)a > (u32v)b), a, b); }
// b where a < b, else a; likewise b where b < a.
INLINE f32v max_f(f32v a, f32v b) { return (f32v)choose_i(a < b, (i32v)b, (i32v)a); }
INLINE f32v min_f(f32v a, f32v b) { return (f32v)choose_i(b < a, (i32v)b, (i32v)a); }
INLINE f32v root(f32v x) {
  for (int i = 0; i < LANES; i++) x[i] = sqrtf(x[i]);
  return x;
}
INLINE f32v fused(f32v a, f32v b, f32v c) {
  for (int i = 0; i < LANES; i++) a[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return a;
}
// Sums of the products of two neighbours of 16 bits.
INLINE i32v products16(i32v a, i32v b) {
  return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
}

#else

#include <immintrin.h>

#if PN_VECTOR == 64
#define OP(name) _mm512_##name
typedef __m512i iv;
#else
#define OP(name) _mm256_##name
typedef __m256i iv;
#endif
INLINE i32v max_i(i32v a, i32v b) { return (i32v)OP(max_epi32)((iv)a, (iv)b); }
INLINE i32v max_u(i32v a, i32v b) { return (i32v)OP(max_epu32)((iv)a, (iv)b); }
// The instructions give their second operand where neither is larger, or one is a NaN.
INLINE f32v max_f(f32v a, f32v b) { return (f32v)OP(max_ps)(b, a); }
INLINE f32v min_f(f32v a, f32v b) { return (f32v)OP(min_ps)(b, a); }
INLINE f32v root(f32v x) { return (f32v)OP(sqrt_ps)(x); }
INLINE f32v fused(f32v a, f32v b, f32v c) { return (f32v)OP(fmadd_ps)(a, b, c); }
INLINE i32v products16(i32v a, i32v b) { return (i32v)OP(madd_epi16)((iv)a, (iv)b); }

#endif

// Four vectors of int32 to one of bytes, saturated. On x64 the order is what packing lane by lane gives; interleaving
// bytes and then words of 16 bits lane by lane undoes it, so that int32 sums come out in the order of the tokens.

#if defined(PN_EMULATE) || PN_ISA == PN_ISA_NEON

#define QUARTERS (PN_VECTOR / 16)
INLINE u8v packed_codes(i32v a, i32v b, i32v c, i32v d) {
  const i32v *four[4] = {&a, &b, &c, &d};
  u8v codes;
  for (int quarter = 0; quarter < QUARTERS; quarter++) {
    for (int i = 0; i < 16; i++) {
      const int32_t code = (*four[i / 4])[4 * quarter + i % 4];
      codes[16 * quarter + i] = (uint8_t)(code < 0 ? 0 : code > 255 ? 255 : code);
    }
  }
  return codes;
}
INLINE u8v low_bytes(u8v a, u8v b) {
  u8v r;
  for (int i = 0; i < PN_VECTOR; i++) r[i] = (i % 2 ? b : a)[i / 16 * 16 + i % 16 / 2];
  return r;
}
INLINE u8v high_bytes(u8v a, u8v b) {
  u8v r;
  for (int i = 0; i < PN_VECTOR; i++) r[i] = (i % 2 ? b : a)[i / 16 * 16 + 8 + i % 16 / 2];
  return r;
}
INLINE i16v low_words(i16v a, i16v b) {
  i16v r;
  for (int i = 0; i < PN_VECTOR / 2; i++) r[i] = (i % 2 ? b : a)[i / 8 * 8 + i % 8 / 2];
  return r;
}
INLINE i16v high_words(i16v a, i16v b) {
  i16v r;
  for (int i = 0; i < PN_VECTOR / 2; i++) r[i] = (i % 2 ? b : a)[i / 8 * 8 + 4 + i % 8 / 2];
  return r;
}

#else

INLINE u8v packed_codes(i32v a, i32v b, i32v c, i32v d) {
  return (u8v)OP(packus_epi16)(OP(packus_epi32)((iv)a, (iv)b), OP(packus_epi32)((iv)c, (iv)d));
}
INLINE u8v low_bytes(u8v a, u8v b) { return (u8v)OP(unpacklo_epi8)((iv)a, (iv)b); }
INLINE u8v high_bytes(u8v a, u8v b) { return (u8v)OP(unpackhi_epi8)((iv)a, (iv)b); }
INLINE i16v low_words(i16v a, i16v b) { return (i16v)OP(unpacklo_epi16)((iv)a, (iv)b); }
INLINE i16v high_words(i16v a, i16v b) { return (i16v)OP(unpackhi_epi16)((iv)a, (iv)b); }

#endif

// The product: sums + the products of four codes of each lane and four weights.

#if PN_ISA == PN_ISA_AVX2
#define IS_PAIRS 1
#define CENTER 0
INLINE i16v products8(u8v codes, i32v weights) { return (i16v)OP(maddubs_epi16)((iv)codes, (iv)weights); }
#else
#define IS_PAIRS 0
#if defined(PN_EMULATE)
#define CENTER 0
INLINE i32v products4(i32v sums, u8v codes, i32v weights) {
  const i8v w = (i8v)weights;
  for (int i = 0; i < PN_VECTOR; i++) sums[i / 4] += codes[i] * w[i];
  return sums;
}
#elif PN_ISA == PN_ISA_AVXVNNI
#define CENTER 0
INLINE i32v products4(i32v sums, u8v codes, i32v weights) {
  return (i32v)_mm256_dpbusd_avx_epi32((iv)sums, (iv)codes, (iv)weights);
}
#elif PN_ISA == PN_ISA_AVX512
#define CENTER 0
INLINE i32v products4(i32v sums, u8v codes, i32v weights) {
  return (i32v)_mm512_dpbusd_epi32((iv)sums, (iv)codes, (iv)weights);
}
#elif PN_ISA == PN_ISA_NEON
#include <arm_neon.h>
// vdotq_s32 takes codes of int8: they are stored less 128.
#define CENTER 128
INLINE i32v products4(i32v sums, u8v codes, i32v weights) {
  return (i32v)vdotq_s32((int32x4_t)sums, (int8x16_t)codes, (int8x16_t)weights);
}
#endif
#endif

#endif
