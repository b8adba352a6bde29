// Everything that a pass computes, compiled once for each instruction set (isa.h). packages/kernels/src/reference is
// the specification of every operation and its order; -ffp-contract=off keeps products and sums apart.
#include "isa.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define EXPORTED(name) JOIN(JOIN(name, _), PN_SUFFIX)

// 1.5 * 2^23: adding it to a float32 of magnitude below 2^22 rounds to an integer, ties to even, in the low bits.
#define MAGIC 12582912.0f
#define MAGIC_BITS 0x4b400000

// How many vectors of a tile are computed for `lanes` tokens of it: 1, 2 or 4.
INLINE int vectors_for(int lanes) { return lanes > 2 * LANES ? 4 : lanes > LANES ? 2 : 1; }
INLINE int lanes_of_tile(const pn_pass *pass, int tile) {
  const int left = pass->lanes - tile * TILE;
  return left < TILE ? left : TILE;
}
INLINE float *tile_at(float *buffer, int tile, int features) { return buffer + (size_t)tile * features * TILE; }

// ---- ranges

typedef struct {
  i32v high, low;
} range_v;

INLINE range_v no_range(void) { return (range_v){splat_i(0), splat_i((int32_t)PN_NONE_BELOW)}; }
INLINE void include(range_v *range, f32v x) {
  range->high = max_i(range->high, bits_of(x));
  range->low = max_u(range->low, bits_of(x));
}
static void publish(const pn_pass *pass, int tensor, int thread, range_v range) {
  pn_range *to = pass->ranges + tensor * pass->threads + thread;
  for (int i = 0; i < LANES; i++) {
    if (range.high[i] > to->high) to->high = range.high[i];
    if ((uint32_t)range.low[i] > to->low) to->low = (uint32_t)range.low[i];
  }
}

// ---- exp, gelu

// src/reference/exp.ts
INLINE f32v exp2_of(f32v t) {
  const f32v shifted = t + splat(MAGIC);
  const f32v f = t - (shifted - splat(MAGIC));
  f32v p = splat(0.001326472731307149f) * f + splat(0.009671512991189957f);
  p = p * f + splat(0.05550733581185341f);
  p = p * f + splat(0.24022242426872253f);
  p = p * f + splat(0.6931470036506653f);
  p = p * f + splat(1.0f);
  // The integer sits in the low bits; added to the exponent it is the exact product with 2^n.
  return float_of(bits_of(p) + (bits_of(shifted) << 23));
}
#define LOG2_E 1.4426950408889634f
INLINE f32v exp_of_negative(f32v x) { return exp2_of(max_f(x * splat(LOG2_E), splat(-126.0f))); }
INLINE f32v exp_of(f32v x) { return exp2_of(max_f(min_f(x * splat(LOG2_E), splat(126.0f)), splat(-126.0f))); }

// src/reference/activate.ts
INLINE f32v positive(f32v x) { return max_f(splat(0.0f), x); }
INLINE f32v gelu(f32v x) {
  const f32v a = float_of(bits_of(x) & splat_i(0x7fffffff));
  const f32v square = a * a;
  const f32v low = splat(0.049864139407873154f) * a + splat(1.0f);
  const f32v middle = splat(0.0032493306789547205f) * a + splat(0.021157288923859596f);
  const f32v high = (splat(4.1388077079318464e-5f) * a + splat(5.9706104366341606e-5f)) + splat(6.332423708954593e-6f) * square;
  f32v p = low + square * (middle + square * high);
  p = p * p;
  p = p * p;
  p = p * p;
  p = p * p;
  return positive(x) - (a * splat(0.5f)) / p;
}
INLINE f32v gelu_new(f32v x) {
  const f32v cube = (x * x) * x;
  const f32v y = x + splat(0.044715f) * cube;
  return x / (splat(1.0f) + exp_of(splat(-1.5957691216057308f) * y));
}
// A NaN stays one.
INLINE f32v relu(f32v x) { return float_of(choose_i(x != x, bits_of(x), bits_of(positive(x)))); }

// ---- quantization

// How the codes of a tile stand for its activations; a vector for each lane's own where it is row by row.
typedef struct {
  bool rowwise;
  float scale;
  int32_t zero;
  f32v scales[4];
  i32v zeros[4];
} codes_of_tile;

INLINE f32v in_units(f32v x, f32v unit, bool divide) {
  if (!divide) return x * unit;
  // Where the scale is 0, quotients are infinities, and NaN for 0, which onnxruntime takes for less than every code.
  return min_f(splat(512.0f), max_f(splat(-512.0f), x / unit));
}

INLINE void quantize_rows(const float *x, int columns, uint8_t *to, const f32v unit[4], const i32v zero[4], bool divide) {
  const f32v u0 = unit[0], u1 = unit[1], u2 = unit[2], u3 = unit[3];
  const i32v bits = splat_i(-MAGIC_BITS);
  const i32v z0 = zero[0] + bits, z1 = zero[1] + bits, z2 = zero[2] + bits, z3 = zero[3] + bits;
  for (int k = 0; k < columns; k++, x += TILE, to += TILE) {
    const i32v a = bits_of(in_units(load(x), u0, divide) + splat(MAGIC)) + z0;
    const i32v b = bits_of(in_units(load(x + LANES), u1, divide) + splat(MAGIC)) + z1;
    const i32v c = bits_of(in_units(load(x + 2 * LANES), u2, divide) + splat(MAGIC)) + z2;
    const i32v d = bits_of(in_units(load(x + 3 * LANES), u3, divide) + splat(MAGIC)) + z3;
    u8v codes = packed_codes(a, b, c, d);
    if (CENTER) codes ^= (uint8_t)CENTER - (u8v){};
    *(u8v *)to = codes;
  }
}

// Gives false where a token's range is not finite. `whole`: the scale of all tokens, NULL where each has its own.
static bool quantize_tile(pn_profile profile, const float *x, int columns, int vectors, const pn_quantization *whole,
                          uint8_t *to, codes_of_tile *codes) {
  const bool divide = profile == PN_ONNXRUNTIME;
  f32v units[4];
  codes->rowwise = whole == NULL;
  if (whole != NULL) {
    codes->scale = whole->scale;
    codes->zero = whole->zero - CENTER;
    for (int v = 0; v < 4; v++) {
      units[v] = splat(divide ? whole->scale : whole->inverse);
      codes->zeros[v] = splat_i(whole->zero);
      codes->scales[v] = splat(whole->scale);
    }
  } else {
    for (int v = 0; v < 4; v++) {
      units[v] = splat(0.0f);
      codes->zeros[v] = splat_i(0);
      codes->scales[v] = splat(0.0f);
      if (v >= vectors) continue;
      range_v range = no_range();
      for (int k = 0; k < columns; k++) include(&range, load(x + k * TILE + v * LANES));
      for (int i = 0; i < LANES; i++) {
        pn_quantization token;
        if (!pn_choose(profile, range.high[i], (uint32_t)range.low[i], &token)) return false;
        units[v][i] = divide ? token.scale : token.inverse;
        codes->zeros[v][i] = token.zero;
        codes->scales[v][i] = token.scale;
      }
    }
  }
  if (divide) quantize_rows(x, columns, to, units, codes->zeros, true);
  else quantize_rows(x, columns, to, units, codes->zeros, false);
  for (int v = 0; v < 4; v++) codes->zeros[v] -= CENTER;
  return true;
}

// ---- Linears

// What becomes of a row: its sums are kept for the next block; or its results are stored, added to the row at
// `residual`, or go through an activation, whose range is kept.
typedef enum { SUMS = 0, STORE, ADD, GELU, GELU_NEW, RELU } then_what;

INLINE uint32_t load16(const uint8_t *p) {
  uint16_t value;
  memcpy(&value, p, 2);
  return value;
}
INLINE int32_t load32(const uint8_t *p) {
  int32_t value;
  memcpy(&value, p, 4);
  return value;
}
INLINE u8v load_codes(const uint8_t *p) { return *(const u8v *)p; }

// Keeps a compiler from computing where a row ends from its length: the next row would wait for that.
#define STEP(p, bytes) \
  do {                 \
    (p) += (bytes);    \
    __asm__("" : "+r"(p)); \
  } while (0)

// Sums of a row for a tile of codes: two vectors of lanes, or four (`whole`). Gives where the next row begins.
#if IS_PAIRS
// A unit of `quads` quads. A group's sums fit 16 bits for any codes. With codes up to 128 the positive weights of a group
// add up to at most 255, and the magnitudes of the negative ones to 256: |sum| <= 2^15. With codes up to 255 the bounds
// are 128 each. Two groups are interleaved and widened together by products with 1.
INLINE void sum_unit(const uint8_t *p, int quads, const uint8_t *tile, i32v sums[4], bool whole) {
  const iv ones = OP(set1_epi16)(1);
  i16v low[2], high[2];
#pragma GCC unroll 2
  for (int g = 0; g < 2; g++) {
#pragma GCC unroll 4
    for (int i = 0; i < quads; i++) {
      const int pair = g * quads + i;
      const u8v x = load_codes(tile + load16(p + 4 * pair)), y = load_codes(tile + load16(p + 4 * pair + 2));
      const i32v w = (i32v)OP(set1_epi16)((int16_t)load16(p + 8 * quads + 2 * pair));
      const i16v l = products8(low_bytes(x, y), w);
      low[g] = i == 0 ? l : low[g] + l;
      if (whole) {
        const i16v h = products8(high_bytes(x, y), w);
        high[g] = i == 0 ? h : high[g] + h;
      }
    }
  }
  sums[0] += (i32v)OP(madd_epi16)((iv)low_words(low[0], low[1]), ones);
  sums[1] += (i32v)OP(madd_epi16)((iv)high_words(low[0], low[1]), ones);
  if (whole) {
    sums[2] += (i32v)OP(madd_epi16)((iv)low_words(high[0], high[1]), ones);
    sums[3] += (i32v)OP(madd_epi16)((iv)high_words(high[0], high[1]), ones);
  }
}
INLINE const uint8_t *sum_row(const uint8_t *p, int quads, int unit, const uint8_t *tile, i32v sums[4], bool whole) {
  i32v c[4] = {sums[0], sums[1], sums[2], sums[3]};
  for (; quads >= unit; quads -= unit) {
    sum_unit(p, unit, tile, c, whole);
    STEP(p, unit * PN_QUAD_BYTES);
  }
  if (unit > 3 && quads == 3) {
    sum_unit(p, 3, tile, c, whole);
    STEP(p, 3 * PN_QUAD_BYTES);
  } else if (unit > 2 && quads == 2) {
    sum_unit(p, 2, tile, c, whole);
    STEP(p, 2 * PN_QUAD_BYTES);
  } else if (quads == 1) {
    sum_unit(p, 1, tile, c, whole);
    STEP(p, PN_QUAD_BYTES);
  }
  for (int v = 0; v < 4; v++) sums[v] = c[v];
  return p;
}
#else
INLINE const uint8_t *sum_row(const uint8_t *p, int quads, int unit, const uint8_t *tile, i32v sums[4], bool whole) {
  (void)unit;
  i32v c0 = sums[0], c1 = sums[1], c2 = sums[2], c3 = sums[3];
  for (; quads > 0; quads--) {
    const u8v x = load_codes(tile + load16(p)), y = load_codes(tile + load16(p + 2));
    const u8v z = load_codes(tile + load16(p + 4)), u = load_codes(tile + load16(p + 6));
    const i32v w = splat_i(load32(p + 8));
    const i16v xy = (i16v)low_bytes(x, y), zu = (i16v)low_bytes(z, u);
    c0 = products4(c0, (u8v)low_words(xy, zu), w);
    c1 = products4(c1, (u8v)high_words(xy, zu), w);
    if (whole) {
      const i16v xy2 = (i16v)high_bytes(x, y), zu2 = (i16v)high_bytes(z, u);
      c2 = products4(c2, (u8v)low_words(xy2, zu2), w);
      c3 = products4(c3, (u8v)high_words(xy2, zu2), w);
    }
    STEP(p, PN_QUAD_BYTES);
  }
  sums[0] = c0, sums[1] = c1, sums[2] = c2, sums[3] = c3;
  return p;
}
#endif

INLINE f32v finished(f32v y, then_what then, const float *residual, range_v *range) {
  switch (then) {
    case SUMS:
    case STORE: return y;
    case ADD: return y + load(residual);
    case GELU: y = gelu(y); break;
    case GELU_NEW: y = gelu_new(y); break;
    case RELU: y = relu(y); break;
  }
  include(range, y);
  return y;
}

typedef struct {
  const pn_linear *linear;
  const codes_of_tile *codes;
  const uint8_t *tile;
  int vectors;
  float *out;
  const float *residual;
  then_what then;
} int8_job;

// Rows come in the order of their lengths, which hardware cannot foresee: asks for the memory of a later row's results.
// One row ahead is too late for the L3, where most results lie: it gains half as much as 8, and 12 gain no more.
INLINE void prefetch_row(const int8_job *job, int32_t row, bool whole, then_what then) {
  for (int i = 0; i < (whole ? ROW_BYTES : ROW_BYTES / 2); i += 64) {
    __builtin_prefetch((const char *)(job->out + (size_t)row * TILE) + i, 1);
    if (then == ADD) __builtin_prefetch((const char *)(job->residual + (size_t)row * TILE) + i);
  }
}

// `rows` rows of a block, whose stream begins at `p`. Sums of all blocks but the last gather where the results will be.
INLINE void int8_rows(const int8_job *job, const uint8_t *p, int block, int rows, int unit, bool whole, then_what then, range_v *all) {
  const codes_of_tile *codes = job->codes;
  const uint8_t *tile = job->tile + (size_t)block * job->linear->block_columns * TILE;
  const bool twice = job->linear->profile == PN_QNNPACK || job->linear->profile == PN_ONNXRUNTIME;
  const bool rowwise = codes->rowwise;
  const int vectors = whole ? 4 : 2;
  const i32v zero = splat_i(codes->zero);
  const f32v scale = splat(codes->scale);
  range_v range = *all;
  for (; rows > 0; rows--) {
    const pn_row_header *header = (const pn_row_header *)p;
    prefetch_row(job, header->later, whole, then);
    float *out = job->out + (size_t)header->row * TILE;
    i32v sums[4] = {};
    if (block > 0) {
      for (int v = 0; v < vectors; v++) sums[v] = bits_of(load(out + v * LANES));
    } else if (rowwise) {
      for (int v = 0; v < vectors; v++) sums[v] = -(codes->zeros[v] * splat_i(header->sum));
    } else sums[0] = sums[1] = sums[2] = sums[3] = -(zero * splat_i(header->sum));
    p = sum_row(p + sizeof *header, header->quads, unit, tile, sums, whole);
    if (then == SUMS) {
      for (int v = 0; v < vectors; v++) store(out + v * LANES, float_of(sums[v]));
      continue;
    }
    f32v factor[4], y[4];
    if (rowwise) {
      for (int v = 0; v < vectors; v++) factor[v] = codes->scales[v] * splat(header->scale);
    } else factor[0] = factor[1] = factor[2] = factor[3] = scale * splat(header->scale);
    const f32v bias = splat(header->bias);
    if (twice) {
      for (int v = 0; v < vectors; v++) y[v] = converted(sums[v]) * factor[v] + bias;
    } else {
      for (int v = 0; v < vectors; v++) y[v] = fused(converted(sums[v]), factor[v], bias);
    }
    const float *residual = then == ADD ? job->residual + (size_t)header->row * TILE : NULL;
    for (int v = 0; v < vectors; v++) {
      // A vector that is not wanted has a place, and holds anything.
      if (!whole && v >= job->vectors) break;
      store(out + v * LANES, finished(y[v], then, residual + v * LANES, &range));
    }
  }
  *all = range;
}

// Chunks [chunk, end) of an int8 Linear.
INLINE void int8_chunks(const int8_job *job, int chunk, int end, int unit, range_v *range) {
  const pn_linear *linear = job->linear;
  const int first_row = chunk * linear->chunk_rows;
  const int end_row = end * linear->chunk_rows < linear->rows ? end * linear->chunk_rows : linear->rows;
  const int rows = end_row - first_row;
  for (int block = 0; block < linear->blocks; block++) {
    const uint8_t *p = linear->stream + linear->starts[block * linear->chunks + chunk];
    const then_what then = block < linear->blocks - 1 ? SUMS : job->then;
    if (job->vectors <= 2) int8_rows(job, p, block, rows, unit, false, then, range);
    else if (then == SUMS) int8_rows(job, p, block, rows, unit, true, SUMS, range);
    else if (then == STORE) int8_rows(job, p, block, rows, unit, true, STORE, range);
    else if (then == ADD) int8_rows(job, p, block, rows, unit, true, ADD, range);
    else if (then == GELU) int8_rows(job, p, block, rows, unit, true, GELU, range);
    else int8_rows(job, p, block, rows, unit, true, then, range);
  }
}

// src/reference/linear.ts: the nonzero weights in ascending order of columns.
static void float_rows(const int8_job *job, const float *x, int chunk, int end, range_v *range) {
  const pn_linear *linear = job->linear;
  const uint8_t *p = linear->stream + linear->starts[chunk];
  const int first_row = chunk * linear->chunk_rows;
  const int end_row = end * linear->chunk_rows < linear->rows ? end * linear->chunk_rows : linear->rows;
  for (int rows = end_row - first_row; rows > 0; rows--) {
    pn_float_header header;
    memcpy(&header, p, sizeof header);
    p += sizeof header;
    f32v sums[4] = {};
    for (uint32_t i = 0; i < header.count; i++, p += sizeof(pn_float_weight)) {
      pn_float_weight weight;
      memcpy(&weight, p, sizeof weight);
      const float *at = x + weight.offset;
      const f32v w = splat(weight.value);
      for (int v = 0; v < 4; v++) sums[v] = sums[v] + w * load(at + v * LANES);
    }
    float *out = job->out + (size_t)header.row * TILE;
    const float *residual = job->then == ADD ? job->residual + (size_t)header.row * TILE : NULL;
    const f32v bias = splat(linear->bias[header.row]);
    for (int v = 0; v < job->vectors; v++) {
      store(out + v * LANES, finished(sums[v] + bias, job->then, residual + v * LANES, range));
    }
  }
}

static void run_linear(const int8_job *job, const float *x, int chunk, int end, range_v *range) {
  if (chunk >= end) return;
  if (job->linear->kind == PN_FLOAT) {
    float_rows(job, x, chunk, end, range);
    return;
  }
  if (!IS_PAIRS || job->linear->profile == PN_FBGEMM) int8_chunks(job, chunk, end, PN_UNIT_7BIT, range);
  else int8_chunks(job, chunk, end, PN_UNIT_8BIT, range);
}

// The codes of a tile of the tensor, in the thread's scratch; those that are there already stay.
typedef struct {
  codes_of_tile codes;
  uint8_t tile[];
} coded_tile;

static size_t coded_bytes(int columns) {
  return (sizeof(coded_tile) + (size_t)columns * TILE + 2 * PN_ALIGNMENT - 1) / PN_ALIGNMENT * PN_ALIGNMENT;
}

// False where the tensor is not finite.
static bool code_tile(const pn_pass *pass, pn_phase phase, int tensor, int tile, const float *x, int columns,
                      pn_scratch *scratch) {
  const int64_t wanted = (pass->number * 16 + phase) * (PN_MAX_TOKENS + 1) + tile + 1;
  if (scratch->coded == wanted) return true;
  const pn_options *options = pass->options;
  pn_quantization whole;
  if (!options->rowwise) {
    pn_range range = {0, PN_NONE_BELOW};
    for (int thread = 0; thread < pass->threads; thread++) {
      const pn_range *other = pass->ranges + tensor * pass->threads + thread;
      if (other->high > range.high) range.high = other->high;
      if (other->low > range.low) range.low = other->low;
    }
    if (!pn_choose(options->profile, range.high, range.low, &whole)) return false;
  }
  coded_tile *coded = (coded_tile *)scratch->memory;
  if (!quantize_tile(options->profile, x, columns, vectors_for(lanes_of_tile(pass, tile)), options->rowwise ? NULL : &whole,
                     (uint8_t *)coded + sizeof(coded_tile), &coded->codes)) {
    return false;
  }
  scratch->coded = wanted;
  return true;
}

// Part `part` of some Linears of the same input, for a tile.
static void linears_of_tile(const pn_pass *pass, pn_phase phase, int tensor, int tile, int part, float *x, int columns,
                            pn_linear *const *linears, int count, float *out, size_t out_rows, const float *residual,
                            then_what then, range_v *range, pn_scratch *scratch) {
  bool coded = false;
  for (int i = 0; i < count; i++) {
    const pn_linear *linear = linears[i];
    if (linear->kind == PN_INT8 && !coded) {
      if (!code_tile(pass, phase, tensor, tile, x, columns, scratch)) {
        atomic_store(pass->fault, 1);
        return;
      }
      coded = true;
    }
    coded_tile *codes = (coded_tile *)scratch->memory;
    const int8_job job = {linear,   &codes->codes, (uint8_t *)codes + sizeof(coded_tile), vectors_for(lanes_of_tile(pass, tile)),
                          out + i * out_rows * TILE, residual, then};
    const int first = (int)((int64_t)part * linear->chunks / pass->parts);
    const int end = (int)((int64_t)(part + 1) * linear->chunks / pass->parts);
    run_linear(&job, x, first, end, range);
  }
}

// ---- LayerNorm

// src/reference/layer-norm.ts, in place.
static void norm_tile(float *x, int n, int vectors, float *const parameters[2], float eps, range_v *range) {
  const float *weight = parameters[0], *bias = parameters[1];
  const f32v count = splat((float)n);
  for (int v = 0; v < vectors; v += 2) {
    // Two vectors at a time: each sum is a chain of additions that wait for one another. The second may be unwanted.
    const int second = v + 1 < vectors ? LANES : 0;
    float *at = x + v * LANES;
    f32v s0 = splat(0.0f), s1 = s0;
    for (int i = 0; i < n; i++) {
      s0 = s0 + load(at + i * TILE);
      s1 = s1 + load(at + i * TILE + second);
    }
    const f32v m0 = s0 / count, m1 = s1 / count;
    s0 = s1 = splat(0.0f);
    for (int i = 0; i < n; i++) {
      const f32v d0 = load(at + i * TILE) - m0, d1 = load(at + i * TILE + second) - m1;
      s0 = s0 + d0 * d0;
      s1 = s1 + d1 * d1;
    }
    const f32v i0 = splat(1.0f) / root(s0 / count + splat(eps)), i1 = splat(1.0f) / root(s1 / count + splat(eps));
    for (int i = 0; i < n; i++) {
      const f32v w = splat(weight[i]), b = splat(bias[i]);
      const f32v y0 = ((load(at + i * TILE) - m0) * i0) * w + b, y1 = ((load(at + i * TILE + second) - m1) * i1) * w + b;
      store(at + i * TILE, y0);
      store(at + i * TILE + second, y1);
      include(range, y0);
      include(range, y1);
    }
  }
}

// ---- input and output

typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_any __attribute__((vector_size(16), aligned(4), may_alias));

INLINE void transpose(f32x4 r[4]) {
  const f32x4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const f32x4 c = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

static void load_tile(const pn_pass *pass, int tile, int thread) {
  const int hidden = pass->options->hidden;
  const int vectors = vectors_for(lanes_of_tile(pass, tile));
  float *to = tile_at(pass->hidden, tile, hidden);
  const int32_t *tokens = pass->token_of_lane + tile * TILE;
  for (int lane = 0; lane < vectors * LANES; lane += 4) {
    const float *a = pass->input + (size_t)tokens[lane] * hidden, *b = pass->input + (size_t)tokens[lane + 1] * hidden;
    const float *c = pass->input + (size_t)tokens[lane + 2] * hidden, *d = pass->input + (size_t)tokens[lane + 3] * hidden;
    int i = 0;
    for (; i + 4 <= hidden; i += 4) {
      f32x4 rows[4] = {*(const f32x4_any *)(a + i), *(const f32x4_any *)(b + i), *(const f32x4_any *)(c + i), *(const f32x4_any *)(d + i)};
      transpose(rows);
      for (int j = 0; j < 4; j++) *(f32x4_any *)(to + (size_t)(i + j) * TILE + lane) = rows[j];
    }
    for (; i < hidden; i++) *(f32x4_any *)(to + (size_t)i * TILE + lane) = (f32x4){a[i], b[i], c[i], d[i]};
  }
  range_v range = no_range();
  for (int i = 0; i < hidden; i++) {
    for (int v = 0; v < vectors; v++) include(&range, load(to + (size_t)i * TILE + v * LANES));
  }
  if (pass->input_norm != NULL) {
    bool finite = true;
    for (int i = 0; i < LANES; i++) finite &= pn_range_finite((pn_range){range.high[i], (uint32_t)range.low[i]});
    if (!finite) atomic_store(pass->fault, 1);
    range = no_range();
    float *const parameters[2] = {(float *)pass->input_norm[0], (float *)pass->input_norm[1]};
    norm_tile(to, hidden, vectors, parameters, pass->options->eps, &range);
  }
  publish(pass, PN_RANGE_HIDDEN, thread, range);
}

static void store_tile(const pn_pass *pass, int tile) {
  const int hidden = pass->options->hidden;
  const float *from = tile_at(pass->hidden, tile, hidden);
  const int32_t *tokens = pass->token_of_lane + tile * TILE;
  for (int lane = 0; lane < lanes_of_tile(pass, tile); lane += 4) {
    float *a = pass->output + (size_t)tokens[lane] * hidden, *b = pass->output + (size_t)tokens[lane + 1] * hidden;
    float *c = pass->output + (size_t)tokens[lane + 2] * hidden, *d = pass->output + (size_t)tokens[lane + 3] * hidden;
    // A lane that repeats a token writes the same numbers again.
    int i = 0;
    for (; i + 4 <= hidden; i += 4) {
      f32x4 rows[4];
      for (int j = 0; j < 4; j++) rows[j] = *(const f32x4_any *)(from + (size_t)(i + j) * TILE + lane);
      transpose(rows);
      *(f32x4_any *)(a + i) = rows[0];
      *(f32x4_any *)(b + i) = rows[1];
      *(f32x4_any *)(c + i) = rows[2];
      *(f32x4_any *)(d + i) = rows[3];
    }
    for (; i < hidden; i++) {
      const f32x4 x = *(const f32x4_any *)(from + (size_t)i * TILE + lane);
      a[i] = x[0], b[i] = x[1], c[i] = x[2], d[i] = x[3];
    }
  }
}

// ---- attention: one head of one sequence

#if PN_VECTOR == 64
#define MAX_BLOCK 4
#else
#define MAX_BLOCK 2
#endif

// Four lanes, which are in one tile because sequences begin at multiples of four lanes.
INLINE float *lanes_at(float *buffer, int features, int feature, int lane) {
  return buffer + ((size_t)(lane / TILE) * features + feature) * TILE + lane % TILE;
}
INLINE f32x4 four_lanes(const float *p) { return *(const f32x4_any *)p; }

// Sums of products for a block of `vectors` of queries times four columns.
// shapes: p [rows][block], q [rows][4] -> to f32[4][block]
INLINE void products_float(const float *p, int rows, const float *q, float *to, int vectors) {
  f32v sums[4][MAX_BLOCK] = {};
#pragma GCC unroll 4
  for (int row = 0; row < rows; row++, p += vectors * LANES, q += 4) {
    f32v x[MAX_BLOCK];
    for (int v = 0; v < vectors; v++) x[v] = load(p + v * LANES);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const f32v y = splat(q[j]);
      for (int v = 0; v < vectors; v++) sums[j][v] = sums[j][v] + x[v] * y;
    }
  }
  for (int j = 0; j < 4; j++) {
    for (int v = 0; v < vectors; v++) store(to + (j * vectors + v) * LANES, sums[j][v]);
  }
}

// The same for pairs of int16; the sums times what a code of each query and of each column is worth.
// shapes: p [rows][block], q [rows][4], query_units f32[block], column_units f32[4] -> to f32[4][block]
INLINE void products_int16(const float *p, int rows, const float *q, float *to, const float *query_units,
                           const float *column_units, int vectors) {
  i32v sums[4][MAX_BLOCK] = {};
#pragma GCC unroll 4
  for (int row = 0; row < rows; row++, p += vectors * LANES, q += 4) {
    i32v x[MAX_BLOCK];
    for (int v = 0; v < vectors; v++) x[v] = bits_of(load(p + v * LANES));
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      int32_t pair;
      memcpy(&pair, q + j, 4);
      const i32v y = splat_i(pair);
      for (int v = 0; v < vectors; v++) sums[j][v] += products16(x[v], y);
    }
  }
  for (int j = 0; j < 4; j++) {
    for (int v = 0; v < vectors; v++) {
      const f32v y = converted(sums[j][v]) * load(query_units + v * LANES);
      store(to + (j * vectors + v) * LANES, column_units == NULL ? y : y * splat(column_units[j]));
    }
  }
}

// Scores to e^(score - max). shapes: scores f32[keys][block] -> sums f32[block]
INLINE void exponentials(float *scores, int keys, float *sums, int vectors) {
  for (int v = 0; v < vectors; v += vectors > 1 ? 2 : 1) {
    const int second = vectors > 1 ? LANES : 0;
    const int row = vectors * LANES;
    float *p = scores + v * LANES;
    f32v m0 = load(p), m1 = load(p + second);
    for (int k = 1; k < keys; k++) {
      m0 = max_f(m0, load(p + k * row));
      m1 = max_f(m1, load(p + k * row + second));
    }
    f32v s0 = splat(0.0f), s1 = s0;
    for (int k = 0; k < keys; k++) {
      const f32v e0 = exp_of_negative(load(p + k * row) - m0), e1 = exp_of_negative(load(p + k * row + second) - m1);
      s0 = s0 + e0;
      s1 = s1 + e1;
      store(p + k * row, e0);
      store(p + k * row + second, e1);
    }
    store(sums + v * LANES, s0);
    store(sums + v * LANES + second, s1);
  }
}

typedef struct {
  // Where the head's features begin in the rows of queries; keys and values are `hidden` and 2 `hidden` rows later.
  int feature, size, hidden, lane, tokens, keys;
  float *scores, *queries, *keys_packed, *values_packed, *results, *sums, *units, *key_units;
} head_job;

static size_t floats_up(size_t count) { return (count + 15) / 16 * 16; }

// Scores, queries, keys, values, results, sums and units, in floats.
static void head_scratch(float *memory, int size, int max_keys, head_job *job, size_t *total) {
  const size_t block = MAX_BLOCK * LANES;
  const size_t keys = (size_t)(max_keys + 3) / 4 * 4;
  const size_t four = (size_t)(size + 3) / 4 * 4;
  const size_t counts[] = {(keys + 4) * block, (four + 2) * block, four * keys, four * (keys + 4), 4 * block, 2 * block, 2 * block, keys + 4};
  size_t at = 0;
  size_t places[8];
  for (int i = 0; i < 8; i++) {
    places[i] = at;
    at += floats_up(counts[i]);
  }
  *total = at;
  if (job == NULL) return;
  job->scores = memory + places[0];
  job->queries = memory + places[1];
  job->keys_packed = memory + places[2];
  job->values_packed = memory + places[3];
  job->results = memory + places[4];
  job->sums = memory + places[5];
  job->units = memory + places[6];
  job->key_units = memory + places[7];
}

// shapes: f32[size][lanes] -> f32[keys / 4][size][4]
static void pack_keys(const pn_pass *pass, const head_job *job) {
  float *to = job->keys_packed;
  for (int k = 0; k < job->keys; k += 4) {
    const float *p = lanes_at(pass->qkv, 3 * job->hidden, job->hidden + job->feature, job->lane + k);
    for (int i = 0; i < job->size; i++, to += 4) *(f32x4_any *)to = four_lanes(p + (size_t)i * TILE);
  }
}

// shapes: f32[size][lanes] -> f32[size / 4][keys][4]
static void pack_values(const pn_pass *pass, const head_job *job) {
  const int keys = (job->keys + 3) / 4 * 4;
  for (int k = 0; k < job->keys; k += 4) {
    const float *p = lanes_at(pass->qkv, 3 * job->hidden, 2 * job->hidden + job->feature, job->lane + k);
    for (int i = 0; i < job->size; i += 4) {
      float *to = job->values_packed + ((size_t)i / 4 * keys + k) * 4;
      f32x4 rows[4];
      for (int j = 0; j < 4; j++) rows[j] = i + j < job->size ? four_lanes(p + (size_t)(i + j) * TILE) : (f32x4){};
      transpose(rows);
      for (int j = 0; j < 4; j++) *(f32x4_any *)(to + 4 * j) = rows[j];
    }
  }
}

// Puts `count` features of a block's context where they belong, as far as there are lanes.
INLINE void keep(const pn_pass *pass, const head_job *job, int feature, int count, int token, int vectors, bool divide,
                 range_v *range) {
  const int lanes = (job->tokens + 3) / 4 * 4 - token;
  for (int j = 0; j < count; j++) {
    for (int v = 0; v < vectors; v++) {
      f32v y = load(job->results + (j * vectors + v) * LANES);
      if (divide) y = y / load(job->sums + v * LANES);
      store(job->results + (j * vectors + v) * LANES, y);
      for (int quarter = 0; quarter < LANES; quarter += 4) {
        const int lane = v * LANES + quarter;
        if (lane >= lanes) break;
        *(f32x4_any *)lanes_at(pass->context, pass->width, job->feature + feature + j, job->lane + token + lane) =
            four_lanes(job->results + j * vectors * LANES + lane);
      }
      // What lies behind the last lane is of no token: the block's queries were repeated there.
      include(range, y);
    }
  }
}

// The block's queries; lanes behind the last repeat the first four. shapes: f32[size][lanes] -> to f32[size][block]
INLINE void gather_queries(const pn_pass *pass, const head_job *job, int token, int vectors, float *to) {
  const int lanes = (job->tokens + 3) / 4 * 4 - token;
  for (int quarter = 0; quarter < vectors * LANES; quarter += 4) {
    const int lane = job->lane + token + (quarter < lanes ? quarter : 0);
    const float *p = lanes_at(pass->qkv, 3 * job->hidden, job->feature, lane);
    for (int i = 0; i < job->size; i++) *(f32x4_any *)(to + (size_t)i * vectors * LANES + quarter) = four_lanes(p + (size_t)i * TILE);
  }
}

// src/reference/attention.ts
INLINE void attend_block_float(const pn_pass *pass, const head_job *job, int token, int vectors, range_v *range) {
  const int row = vectors * LANES;
  const f32v factor = splat(1.0f / sqrtf((float)job->size));
  gather_queries(pass, job, token, vectors, job->queries);
  for (int i = 0; i < job->size * vectors; i++) store(job->queries + i * LANES, load(job->queries + i * LANES) * factor);
  for (int k = 0; k < job->keys; k += 4) {
    products_float(job->queries, job->size, job->keys_packed + (size_t)k * job->size, job->scores + (size_t)k * row, vectors);
  }
  exponentials(job->scores, job->keys, job->sums, vectors);
  const size_t four = (size_t)(job->keys + 3) / 4 * 16;
  for (int i = 0; i < job->size; i += 4) {
    products_float(job->scores, job->keys, job->values_packed + i / 4 * four, job->results, vectors);
    keep(pass, job, i, job->size - i < 4 ? job->size - i : 4, token, vectors, true, range);
  }
}

static void attend_float(const pn_pass *pass, const head_job *job, range_v *range) {
  pack_keys(pass, job);
  pack_values(pass, job);
  for (int token = 0; token < job->tokens;) {
    const int left = job->tokens - token;
    if (MAX_BLOCK == 4 && left > 2 * LANES) {
      attend_block_float(pass, job, token, MAX_BLOCK, range);
      token += MAX_BLOCK * LANES;
    } else if (left > LANES) {
      attend_block_float(pass, job, token, 2, range);
      token += 2 * LANES;
    } else {
      attend_block_float(pass, job, token, 1, range);
      token += LANES;
    }
  }
}

// src/reference/attention-int16.ts says what the codes are.
#define SCORE_CODE 32000.0f
#define VALUE_CODE 16383.0f
#define LARGEST_CODE 32767.0f
#define WHOLE 131064
#define SMALLEST_NORM 9.094947017729282e-13f  // 2^-40

// Codes of two numbers in the halves of a word, the first in the low one. The low 16 bits of MAGIC's are 0.
INLINE i32v code_pair(f32v x, f32v y, f32v inverse) {
  const i32v low = bits_of(x * inverse + splat(MAGIC)) & splat_i(0xffff);
  return low | (bits_of(y * inverse + splat(MAGIC)) << 16);
}
// Magic's own bits included.
INLINE i32x4 codes_of_four(f32x4 x, f32x4 inverse) { return (i32x4)(x * inverse + (f32x4){MAGIC, MAGIC, MAGIC, MAGIC}); }

// False where a key is not finite. shapes: f32[size][lanes] -> i16 pairs [keys / 4][size / 2][4], units f32[keys]
static bool pack_keys_int16(const pn_pass *pass, const head_job *job) {
  const int half = (job->size + 1) / 2;
  bool finite = true;
  for (int k = 0; k < job->keys; k += 4) {
    const float *p = lanes_at(pass->qkv, 3 * job->hidden, job->hidden + job->feature, job->lane + k);
    f32x4 square = {};
    for (int i = 0; i < job->size; i++) square = square + four_lanes(p + (size_t)i * TILE) * four_lanes(p + (size_t)i * TILE);
    f32x4 inverses;
    for (int j = 0; j < 4; j++) {
      const float norm = sqrtf(square[j]);
      if (k + j < job->keys && !(norm < INFINITY)) finite = false;
      job->key_units[k + j] = norm * (1 / SCORE_CODE);
      inverses[j] = norm < SMALLEST_NORM ? 0 : SCORE_CODE / norm;
    }
    int32_t *to = (int32_t *)job->keys_packed + (size_t)k * half;
    for (int i = 0; i < half; i++) {
      const f32x4 x = four_lanes(p + (size_t)2 * i * TILE);
      const f32x4 y = 2 * i + 1 < job->size ? four_lanes(p + (size_t)(2 * i + 1) * TILE) : (f32x4){};
      *(i32x4_any *)(to + 4 * i) = (codes_of_four(x, inverses) & 0xffff) | (codes_of_four(y, inverses) << 16);
    }
  }
  return finite;
}

// shapes: f32[size][lanes] -> i16 pairs [size / 4][keys / 2][4]. Gives what a code is worth; NaN where one is
// not finite.
static float pack_values_int16(const pn_pass *pass, const head_job *job) {
  const int pairs = (job->keys + 1) / 2;
  i32x4 most_of = {};
  for (int k = 0; k < job->keys; k += 4) {
    const float *p = lanes_at(pass->qkv, 3 * job->hidden, 2 * job->hidden + job->feature, job->lane + k);
    // Lanes behind the last key belong to masked tokens.
    const i32x4 used = (i32x4){0, 1, 2, 3} < job->keys - k;
    for (int i = 0; i < job->size; i++) {
      const i32x4 bits = (i32x4)four_lanes(p + (size_t)i * TILE) & 0x7fffffff & used;
      const i32x4 larger = bits > most_of;
      most_of = (bits & larger) | (most_of & ~larger);
    }
  }
  int32_t largest = 0;
  for (int j = 0; j < 4; j++) largest = most_of[j] > largest ? most_of[j] : largest;
  if (largest >= 0x7f800000) return NAN;
  float most;
  memcpy(&most, &largest, 4);
  float inverse = most == 0 ? 0 : VALUE_CODE / most;
  if (inverse > 3.4028234663852886e38f) inverse = 3.4028234663852886e38f;
  const f32x4 factor = {inverse, inverse, inverse, inverse};
  int32_t *packed = (int32_t *)job->values_packed;
  // Two pairs at a time, of four features. An odd key's partner counts as 0;
  for (int k = 0; k < job->keys; k += 4) {
    const float *p = lanes_at(pass->qkv, 3 * job->hidden, 2 * job->hidden + job->feature, job->lane + k);
    const i32x4 used = (i32x4){0, 1, 2, 3} < job->keys - k;
    for (int i = 0; i < job->size; i += 4) {
      f32x4 four[4];
      for (int j = 0; j < 4; j++) {
        const f32x4 x = i + j < job->size ? four_lanes(p + (size_t)(i + j) * TILE) : (f32x4){};
        four[j] = (f32x4)codes_of_four((f32x4)((i32x4)x & used), factor);
      }
      transpose(four);
      int32_t *to = packed + ((size_t)i * pairs + 4 * (size_t)(k / 2));
      *(i32x4_any *)to = ((i32x4)four[0] & 0xffff) | ((i32x4)four[1] << 16);
      if (k + 2 < job->keys) *(i32x4_any *)(to + 4) = ((i32x4)four[2] & 0xffff) | ((i32x4)four[3] << 16);
    }
  }
  return inverse == 0 ? 0 : 1 / inverse;
}

INLINE bool attend_block_int16(const pn_pass *pass, const head_job *job, int token, int vectors, float value_unit, range_v *range) {
  const int row = vectors * LANES;
  const int half = (job->size + 1) / 2;
  const f32v factor = splat(1.0f / sqrtf((float)job->size));
  gather_queries(pass, job, token, vectors, job->queries);
  if (job->size % 2) {
    for (int v = 0; v < vectors; v++) store(job->queries + (size_t)job->size * row + v * LANES, splat(0.0f));
  }
  bool finite = true;
  for (int v = 0; v < vectors; v++) {
    f32v square = splat(0.0f);
    for (int i = 0; i < job->size; i++) {
      const f32v x = load(job->queries + (size_t)i * row + v * LANES);
      square = square + x * x;
    }
    const f32v norm = root(square);
    for (int i = 0; i < LANES; i++) finite &= norm[i] < INFINITY;
    store(job->units + v * LANES, (norm * splat(1 / SCORE_CODE)) * factor);
    const f32v inverse = float_of(bits_of(splat(SCORE_CODE) / norm) & (norm >= splat(SMALLEST_NORM)));
    for (int i = 0; i < half; i++) {
      const float *x = job->queries + (size_t)2 * i * row + v * LANES;
      store(job->queries + (size_t)i * row + v * LANES, float_of(code_pair(load(x), load(x + row), inverse)));
    }
  }
  for (int k = 0; k < job->keys; k += 4) {
    products_int16(job->queries, half, job->keys_packed + (size_t)k * half, job->scores + (size_t)k * row, job->units,
                   job->key_units + k, vectors);
  }
  exponentials(job->scores, job->keys, job->sums, vectors);
  const int pairs = (job->keys + 1) / 2;
  for (int v = 0; v < vectors; v++) {
    const f32v sum = load(job->sums + v * LANES);
    const f32v inverse = min_f(splat((float)(WHOLE - job->keys)) / sum, splat(LARGEST_CODE));
    store(job->units + v * LANES, splat(value_unit) / (sum * inverse));
    if (job->keys % 2) store(job->scores + (size_t)job->keys * row + v * LANES, splat(0.0f));
    for (int pair = 0; pair < pairs; pair++) {
      const float *x = job->scores + (size_t)2 * pair * row + v * LANES;
      store(job->scores + (size_t)pair * row + v * LANES, float_of(code_pair(load(x), load(x + row), inverse)));
    }
  }
  for (int i = 0; i < job->size; i += 4) {
    products_int16(job->scores, pairs, job->values_packed + (size_t)i * pairs, job->results, job->units, NULL, vectors);
    keep(pass, job, i, job->size - i < 4 ? job->size - i : 4, token, vectors, false, range);
  }
  return finite;
}

static bool attend_int16(const pn_pass *pass, const head_job *job, range_v *range) {
  if (!pack_keys_int16(pass, job)) return false;
  const float value_unit = pack_values_int16(pass, job);
  if (value_unit != value_unit) return false;
  bool finite = true;
  for (int token = 0; token < job->tokens;) {
    const int left = job->tokens - token;
    if (MAX_BLOCK == 4 && left > 2 * LANES) {
      finite &= attend_block_int16(pass, job, token, MAX_BLOCK, value_unit, range);
      token += MAX_BLOCK * LANES;
    } else if (left > LANES) {
      finite &= attend_block_int16(pass, job, token, 2, value_unit, range);
      token += 2 * LANES;
    } else {
      finite &= attend_block_int16(pass, job, token, 1, value_unit, range);
      token += LANES;
    }
  }
  return finite;
}

// Lanes behind the last sequence, which are computed with the last tile, hold what its last four lanes hold.
static void fill_context(const pn_pass *pass, const head_job *job) {
  const int tile = pass->tiles - 1;
  const int end = vectors_for(lanes_of_tile(pass, tile)) * LANES;
  for (int lane = lanes_of_tile(pass, tile); lane < end; lane += 4) {
    for (int i = 0; i < job->size; i++) {
      float *row = tile_at(pass->context, tile, pass->width) + (size_t)(job->feature + i) * TILE;
      *(f32x4_any *)(row + lane) = four_lanes(row + (pass->lanes - 4) % TILE);
    }
  }
}

static void attend(const pn_pass *pass, int item, pn_scratch *scratch, int thread) {
  const int heads = pass->width / pass->options->head_size;
  const pn_sequence *sequence = pass->sequences + item / heads;
  const int size = pass->options->head_size;
  head_job job = {.feature = item % heads * size,
                  .size = size,
                  .hidden = pass->options->hidden,
                  .lane = sequence->lane,
                  .tokens = sequence->tokens,
                  .keys = sequence->keys};
  size_t total;
  scratch->coded = 0;
  head_scratch((float *)scratch->memory, size, pass->max_keys, &job, &total);
  range_v range = no_range();
  if (pass->options->int16_attention) {
    if (!attend_int16(pass, &job, &range)) atomic_store(pass->fault, 1);
  } else attend_float(pass, &job, &range);
  if (item / heads == pass->sequence_count - 1) fill_context(pass, &job);
  publish(pass, PN_RANGE_CONTEXT, thread, range);
}

// ---- phases

static void norm_phase(const pn_pass *pass, int which, int tile, int thread) {
  const int hidden = pass->options->hidden;
  range_v range = no_range();
  norm_tile(tile_at(which == 0 ? pass->middle : pass->hidden, tile, hidden), hidden, vectors_for(lanes_of_tile(pass, tile)),
            pass->layer->norms[which], pass->options->eps, &range);
  publish(pass, which == 0 ? PN_RANGE_MIDDLE : PN_RANGE_HIDDEN, thread, range);
}

static void item(const pn_pass *pass, pn_phase phase, int item, pn_scratch *scratch, int thread) {
  const int hidden = pass->options->hidden;
  const pn_layer *layer = pass->layer;
  const int tile = item / pass->parts, part = item % pass->parts;
  range_v range = no_range();
  switch (phase) {
    case PN_LOAD: load_tile(pass, item, thread); return;
    case PN_STORE: store_tile(pass, item); return;
    case PN_ATTEND: attend(pass, item, scratch, thread); return;
    case PN_NORM_MIDDLE: norm_phase(pass, 0, item, thread); return;
    case PN_NORM_HIDDEN: norm_phase(pass, 1, item, thread); return;
    case PN_QKV:
      linears_of_tile(pass, phase, PN_RANGE_HIDDEN, tile, part, tile_at(pass->hidden, tile, hidden), hidden, layer->linears,
                      3, tile_at(pass->qkv, tile, 3 * hidden), hidden, NULL, STORE, &range, scratch);
      return;
    case PN_ADD_ATTENTION:
      linears_of_tile(pass, phase, PN_RANGE_CONTEXT, tile, part, tile_at(pass->context, tile, pass->width), pass->width,
                      layer->linears + PN_ATTENTION_OUTPUT, 1, tile_at(pass->middle, tile, hidden), 0,
                      tile_at(pass->hidden, tile, hidden), ADD, &range, scratch);
      if (pass->parts == 1) norm_phase(pass, 0, tile, thread);
      return;
    case PN_WIDEN: {
      const pn_activation activation = pass->options->activation;
      linears_of_tile(pass, phase, PN_RANGE_MIDDLE, tile, part, tile_at(pass->middle, tile, hidden), hidden,
                      layer->linears + PN_INTERMEDIATE, 1, tile_at(pass->wide, tile, pass->neurons), 0, NULL,
                      activation == PN_GELU ? GELU : activation == PN_GELU_NEW ? GELU_NEW : RELU, &range, scratch);
      publish(pass, PN_RANGE_WIDE, thread, range);
      return;
    }
    case PN_NARROW:
      linears_of_tile(pass, phase, PN_RANGE_WIDE, tile, part, tile_at(pass->wide, tile, pass->neurons), pass->neurons,
                      layer->linears + PN_OUTPUT, 1, tile_at(pass->hidden, tile, hidden), 0,
                      tile_at(pass->middle, tile, hidden), ADD, &range, scratch);
      if (pass->parts == 1) norm_phase(pass, 1, tile, thread);
      return;
  }
}

static size_t scratch_bytes(int columns, int head_size, int max_keys) {
  size_t floats;
  head_scratch(NULL, head_size, max_keys, NULL, &floats);
  const size_t coded = coded_bytes(columns);
  return coded > 4 * floats ? coded : 4 * floats;
}

static void apply(const pn_linear *linear, bool rowwise, const float *x, int tokens, float *y, pn_scratch *scratch,
                  pn_status *status, const pn_quantization *quantization) {
  // After the codes: the tile of the input, then that of the output.
  coded_tile *coded = (coded_tile *)scratch->memory;
  float *input = (float *)(scratch->memory + coded_bytes(linear->columns));
  float *output = input + (size_t)linear->columns * TILE;
  for (int first = 0; first < tokens; first += TILE) {
    const int count = tokens - first < TILE ? tokens - first : TILE;
    const int vectors = vectors_for(count);
    for (int lane = 0; lane < vectors * LANES; lane++) {
      const float *from = x + (size_t)(first + (lane < count ? lane : count - 1)) * linear->columns;
      for (int i = 0; i < linear->columns; i++) input[(size_t)i * TILE + lane] = from[i];
    }
    if (linear->kind == PN_INT8 && !quantize_tile(linear->profile, input, linear->columns, vectors, rowwise ? NULL : quantization,
                                                  (uint8_t *)coded + sizeof(coded_tile), &coded->codes)) {
      *status = PN_INPUT_NOT_FINITE;
      return;
    }
    const int8_job job = {linear, &coded->codes, (uint8_t *)coded + sizeof(coded_tile), vectors, output, NULL, STORE};
    range_v range = no_range();
    run_linear(&job, input, 0, linear->chunks, &range);
    for (int lane = 0; lane < count; lane++) {
      float *to = y + (size_t)(first + lane) * linear->rows;
      for (int i = 0; i < linear->rows; i++) to[i] = output[(size_t)i * TILE + lane];
    }
  }
}

const pn_kernel_set EXPORTED(pn_kernels) = {IS_PAIRS ? PN_PAIRS : PN_QUADS, TILE, CENTER, item, scratch_bytes, apply};
