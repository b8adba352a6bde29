// Which kernels there are, which this processor runs, and whether they give the right sums.
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include "internal.h"

#if defined(__x86_64__)
extern const pn_kernel_set pn_kernels_avx2, pn_kernels_avxvnni, pn_kernels_avx512;
// Set by the build where C code stands for the instructions.
#if defined(PN_EMULATED)
#define PN_EMULATED_MASK ((1u << PN_AVXVNNI) | (1u << PN_AVX512))
#else
#define PN_EMULATED_MASK 0u
#endif

static uint64_t xcr0(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}

unsigned pn_available(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  const bool fma = c & (1u << 12), saves_state = c & (1u << 27), f16c = c & (1u << 29);
  if (!(fma && saves_state && f16c) || (xcr0() & 6) != 6) return 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & (1u << 5))) return 0;
  unsigned available = 1u << PN_AVX2;
  // F, DQ, BW, VL and VNNI, and an operating system that saves their registers.
  const uint32_t wanted = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);
  if ((b & wanted) == wanted && (c & (1u << 11)) && (xcr0() & 0xe6) == 0xe6) available |= 1u << PN_AVX512;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 4))) available |= 1u << PN_AVXVNNI;
  return available;
}
#elif defined(__aarch64__)
extern const pn_kernel_set pn_kernels_neon;
#define PN_EMULATED_MASK 0u
#if defined(__linux__)
#include <sys/auxv.h>
unsigned pn_available(void) { return getauxval(AT_HWCAP) & (1u << 20) ? 1u << PN_NEON : 0; }
#elif defined(_WIN32)
#include <windows.h>
// PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE, which older headers lack.
unsigned pn_available(void) { return IsProcessorFeaturePresent(43) ? 1u << PN_NEON : 0; }
#else
// Every Apple processor of 64 bits has it since 2018.
unsigned pn_available(void) { return 1u << PN_NEON; }
#endif
#else
#define PN_EMULATED_MASK 0u
unsigned pn_available(void) { return 0; }
#endif

unsigned pn_emulated(void) { return pn_available() & (1u << PN_AVX2) ? PN_EMULATED_MASK : 0; }

const pn_kernel_set *pn_kernel_set_of(pn_kernels kernels) {
  if ((unsigned)kernels >= PN_KERNELS || !((pn_available() | pn_emulated()) & (1u << kernels))) return NULL;
  switch (kernels) {
#if defined(__x86_64__)
    case PN_AVX2: return &pn_kernels_avx2;
    case PN_AVXVNNI: return &pn_kernels_avxvnni;
    case PN_AVX512: return &pn_kernels_avx512;
#elif defined(__aarch64__)
    case PN_NEON: return &pn_kernels_neon;
#endif
    default: return NULL;
  }
}

pn_status pn_linear_apply(const pn_linear *linear, bool rowwise, const float *x, size_t x_length, float *y, size_t y_length) {
  if (linear == NULL || linear->packer != NULL || linear->rows == 0 || linear->columns == 0) return PN_BAD_ARGUMENT;
  const size_t count = x_length;
  const int tokens = (int)(count / linear->columns);
  if (count / linear->columns > PN_MAX_TOKENS || count % linear->columns != 0 || y_length != (size_t)tokens * linear->rows) {
    return PN_BAD_ARGUMENT;
  }
  const pn_kernel_set *set = pn_kernel_set_of(linear->kernels);
  if (set == NULL) return PN_BAD_ARGUMENT;
  if (tokens == 0) return PN_OK;
  pn_range range = {0, PN_NONE_BELOW};
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    if ((int32_t)bits > range.high) range.high = (int32_t)bits;
    if (bits > range.low) range.low = bits;
  }
  pn_quantization quantization = {0};
  if (!pn_range_finite(range)) return PN_INPUT_NOT_FINITE;
  if (linear->kind == PN_INT8 && !rowwise && !pn_choose(linear->profile, range.high, range.low, &quantization)) {
    return PN_INPUT_NOT_FINITE;
  }
  const size_t floats = ((size_t)linear->columns + linear->rows) * set->tile;
  pn_scratch scratch = {.bytes = set->scratch_bytes(linear->columns, 1, 1) + 4 * floats};
  scratch.memory = pn_allocate(scratch.bytes);
  if (scratch.memory == NULL) return PN_NO_MEMORY;
  pn_status status = PN_OK;
  set->apply(linear, rowwise, x, tokens, y, &scratch, &status, &quantization);
  pn_release(scratch.memory);
  return status;
}

// Ten rows of the largest weights, over codes from one end of their range to the other.
bool pn_probe(pn_kernels kernels) {
  enum { COLUMNS = 9, TOKENS = 67 };
  static const int8_t values[2][COLUMNS] = {{127, 127, 127, 127, -128, -128, -128, 127, 1}, {-128, -128, -128, -128, -128, -128, -128, -128, -128}};
  static const uint16_t columns[COLUMNS] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  const float scale = 1;
  for (int profile = 0; profile < PN_PROFILES; profile++) {
    pn_linear *linear;
    size_t stop;
    if (pn_linear_begin(kernels, profile, 2, COLUMNS, &scale, 1, NULL, &linear) != PN_OK) return false;
    bool right = pn_linear_row16(linear, columns, values[0], COLUMNS, &stop) == PN_OK &&
                 pn_linear_row16(linear, columns, values[1], COLUMNS, &stop) == PN_OK && pn_linear_end(linear) == PN_OK;
    // Activations that are their own codes.
    const int qmax = profile == PN_FBGEMM ? 127 : 255;
    float x[TOKENS][COLUMNS], y[TOKENS][2];
    for (int token = 0; token < TOKENS; token++) {
      for (int i = 0; i < COLUMNS; i++) x[token][i] = (token * 5 + i * 31) % 7 == 0 ? 0 : token < 3 ? qmax : (token * 37 + i * 11) % (qmax + 1);
    }
    x[0][0] = qmax;
    right = right && pn_linear_apply(linear, false, x[0], TOKENS * COLUMNS, y[0], TOKENS * 2) == PN_OK;
    for (int token = 0; right && token < TOKENS; token++) {
      for (int row = 0; row < 2; row++) {
        int sum = 0;
        for (int i = 0; i < COLUMNS; i++) sum += (int)x[token][i] * values[row][i];
        if (y[token][row] != (float)sum) right = false;
      }
    }
    pn_linear_free(linear);
    if (!right) return false;
  }
  return true;
}
