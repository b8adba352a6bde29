// What the C files share. Weights are read-only once they are packed; a pass has its buffers, each thread its scratch.
//
// Everything is feature-major: a tile is [features][T tokens], of floats and of codes alike, and T is four vectors of
// floats or one of codes. Sums over features run down a tile, one token a lane, in the order that the reference
// specifies, so that every width of vector gives the same bits.
//
// Sequences begin at multiples of four lanes. A lane that no token has holds a copy of a token's numbers: it changes no
// range and no result, and nothing has to be masked.
#ifndef PN_INTERNAL_H
#define PN_INTERNAL_H

#include <stdatomic.h>
#include "prune_native.h"

#define PN_ALIGNMENT 64
// 768 features of 32 tokens are 24 KB, which stay in a 32 KB L1 while all rows pass; 64 tokens are 48 KB.
#define PN_BLOCK_COLUMNS 768
// Parts of a matrix that threads share where there are fewer tiles than threads, and within which rows are sorted.
#define PN_CHUNKS 8

typedef enum { PN_INT8 = 0, PN_FLOAT } pn_kind;
// How a stream holds nonzeros: pairs for vpmaddubsw, whose sums of 16 bits are bounded, or quads for a product of four.
typedef enum { PN_PAIRS = 0, PN_QUADS } pn_form;

// How many nonzeros of a row a quad has, in either form.
#define PN_QUAD 4
#define PN_QUAD_BYTES 12
// Quads of a unit of PN_PAIRS, for codes of 7 bits and of 8 bits.
#define PN_UNIT_7BIT 4
#define PN_UNIT_8BIT 2

// In front of a row's nonzeros. `sum`: of all weights of the row, in other blocks too. `quads` are those of the block.
// `later`: the row whose turn comes PN_ROWS_AHEAD rows later.
#define PN_ROWS_AHEAD 8
typedef struct {
  int32_t row;
  int32_t sum;
  float scale;
  float bias;
  int32_t quads;
  int32_t later;
} pn_row_header;

// A quad of PN_QUADS is four offsets of features, u16, and four weights. A unit of n quads of PN_PAIRS is two groups of n
// pairs: for each pair the offsets of two features, u16, then for each pair its two weights. The quads that whole units
// leave make a smaller unit at the end of the row.

// A nonzero of a float Linear, and what stands before a row's.
typedef struct {
  uint32_t row, count;
} pn_float_header;
typedef struct {
  uint32_t offset;
  float value;
} pn_float_weight;

struct pn_linear {
  pn_kind kind;
  pn_kernels kernels;
  pn_profile profile;
  int rows, columns, blocks, block_columns, chunks, chunk_rows;
  uint8_t *stream;
  size_t stream_bytes;
  // Where each chunk of a block begins in the stream: [blocks][chunks].
  size_t *starts;
  float *bias;
  struct pn_packer *packer;
};

typedef struct {
  pn_linear *linears[6];
  float *norms[2][2];
} pn_layer;
enum { PN_QUERY = 0, PN_KEY, PN_VALUE, PN_ATTENTION_OUTPUT, PN_INTERMEDIATE, PN_OUTPUT };

// Float bits: as int32 the largest value wins, as uint32 the smallest, and an infinity or a NaN of either sign is
// larger than any number in one of the two.
typedef struct {
  _Alignas(64) int32_t high;
  uint32_t low;
} pn_range;
#define PN_NONE_BELOW 0x80000000u
static inline bool pn_range_finite(pn_range range) { return range.high < 0x7f800000 && range.low < 0xff800000u; }

typedef struct {
  float scale, inverse;
  int32_t zero;
} pn_quantization;
// False where the range has no scale.
bool pn_choose(pn_profile profile, int32_t high, uint32_t low, pn_quantization *result);

typedef struct {
  int32_t lane, tokens, keys;
} pn_sequence;

// The tensors whose ranges are needed.
enum { PN_RANGE_HIDDEN = 0, PN_RANGE_CONTEXT, PN_RANGE_MIDDLE, PN_RANGE_WIDE, PN_RANGES };

typedef enum { PN_LOAD = 0, PN_QKV, PN_ATTEND, PN_ADD_ATTENTION, PN_NORM_MIDDLE, PN_WIDEN, PN_NARROW, PN_NORM_HIDDEN, PN_STORE } pn_phase;

typedef struct {
  uint8_t *memory;
  size_t bytes;
  // What the codes in it are of: a phase of the pass and a tile.
  int64_t coded;
  pn_quantization quantization;
} pn_scratch;

typedef struct {
  const pn_options *options;
  const pn_layer *layer;
  const float *const *input_norm;
  // Of the layer: features of its heads, and neurons.
  int width, neurons;
  int lanes, tokens, tiles, parts, sequence_count;
  int max_keys;
  int wide_rows;
  const pn_sequence *sequences;
  // For each lane, the token whose numbers it holds.
  const int32_t *token_of_lane;
  const float *input;
  float *output;
  float *hidden, *qkv, *context, *middle, *wide;
  // [PN_RANGES][threads]
  pn_range *ranges;
  int threads;
  // Set where a tensor is not finite.
  atomic_int *fault;
  int64_t number;
} pn_pass;

// One set of kernels, made from tile.c.
typedef struct {
  pn_form form;
  // Lanes of a tile.
  int tile;
  // What codes are stored less of.
  int center;
  // Does one item of a phase.
  void (*item)(const pn_pass *pass, pn_phase phase, int item, pn_scratch *scratch, int thread);
  // Bytes of scratch that a pass needs.
  size_t (*scratch_bytes)(int columns, int head_size, int max_keys);
  void (*apply)(const pn_linear *linear, bool rowwise, const float *x, int tokens, float *y, pn_scratch *scratch,
                pn_status *status, const pn_quantization *quantization);
} pn_kernel_set;

// NULL where the binary does not hold them.
const pn_kernel_set *pn_kernel_set_of(pn_kernels kernels);

// Rounded up to PN_ALIGNMENT; NULL without the memory. Freed by pn_release, never by free.
void *pn_allocate(size_t bytes);
void pn_release(void *block);

#endif
