// An encoder pass over sparse int8 (or float32) weights, with the bits of the TypeScript reference of @prune/kernels.
//
// Call order: pn_encoder_new; for each layer six Linears (query, key, value, attention output, intermediate, output)
// and two LayerNorms; pn_encoder_start; passes; pn_encoder_free. Everything that could make the code read or write out
// of bounds is checked here, whatever the caller has checked before. No function prints, exits or throws.
#ifndef PRUNE_NATIVE_H
#define PRUNE_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  PN_OK = 0,
  // A length, shape, type or order of calls that this header does not allow.
  PN_BAD_ARGUMENT,
  // A column that does not ascend or lies outside the matrix.
  PN_BAD_COLUMN,
  PN_NO_MEMORY,
  // The input of a pass, or the activations of a layer, are not finite.
  PN_INPUT_NOT_FINITE,
  PN_LAYER_NOT_FINITE,
  PN_ABORTED,
  // The operating system has no thread.
  PN_NO_THREAD,
} pn_status;

// The order is that of preference, the best last.
typedef enum { PN_NEON = 0, PN_AVX2, PN_AVXVNNI, PN_AVX512, PN_KERNELS } pn_kernels;
typedef enum { PN_FBGEMM = 0, PN_FBGEMM_1_5, PN_QNNPACK, PN_ONNXRUNTIME, PN_PROFILES } pn_profile;
typedef enum { PN_GELU = 0, PN_GELU_NEW, PN_RELU, PN_ACTIVATIONS } pn_activation;

typedef struct {
  pn_kernels kernels;
  pn_profile profile;
  pn_activation activation;
  bool rowwise;
  bool int16_attention;
  // Features of a token, and of a head of a layer from which no head was pruned.
  int hidden;
  int head_size;
  float eps;
  int threads;
} pn_options;

#define PN_MAX_THREADS 64
#define PN_MAX_ROWS (1 << 20)
#define PN_MAX_COLUMNS (1 << 16)
#define PN_MAX_TOKENS (1 << 16)
#define PN_MAX_LAYERS 4096

// Which kernels the binary holds and this processor runs, one bit each; and which the binary holds as C code that
// computes what the instructions would, for tests on other processors.
unsigned pn_available(void);
unsigned pn_emulated(void);

typedef struct pn_encoder pn_encoder;
typedef struct pn_linear pn_linear;

pn_status pn_encoder_new(const pn_options *options, pn_encoder **encoder);
// Ends the threads. A pass that computes is aborted at its next layer and must be waited for by its caller first.
void pn_encoder_free(pn_encoder *encoder);

// A Linear is made row by row: begin, `pn_linear_row` for each row in order, then end. `scales`: one, or one a row.
// `bias` may be NULL. The encoder owns its Linear from pn_encoder_add_linear on, also where that fails.
pn_status pn_linear_begin(pn_kernels kernels, pn_profile profile, int rows, int columns, const float *scales,
                          size_t scale_count, const float *bias, pn_linear **linear);
// Columns ascend. On PN_BAD_COLUMN `*stop` is the place of the first wrong one.
pn_status pn_linear_row16(pn_linear *linear, const uint16_t *columns, const int8_t *values, size_t count, size_t *stop);
pn_status pn_linear_row32(pn_linear *linear, const int32_t *columns, const int8_t *values, size_t count, size_t *stop);
pn_status pn_linear_end(pn_linear *linear);
// Row-major `weight` [rows][columns].
pn_status pn_linear_float(pn_kernels kernels, int rows, int columns, const float *weight, const float *bias,
                          pn_linear **linear);
void pn_linear_free(pn_linear *linear);
size_t pn_linear_bytes(const pn_linear *linear);

pn_status pn_encoder_add_linear(pn_encoder *encoder, pn_linear *linear);
pn_status pn_encoder_add_norm(pn_encoder *encoder, const float *weight, const float *bias, size_t length);
// A LayerNorm that the input passes first.
pn_status pn_encoder_input_norm(pn_encoder *encoder, const float *weight, const float *bias, size_t length);
// Every layer must be whole. Starts the threads.
pn_status pn_encoder_start(pn_encoder *encoder);

// Bytes of the weights, and of what the largest batch so far needed.
size_t pn_encoder_bytes(const pn_encoder *encoder);
int pn_encoder_layers(const pn_encoder *encoder);

typedef struct {
  int sequences;
  const int32_t *lengths;
  const int32_t *key_lengths;
  // float32 [tokens][hidden], copied by pn_pass_begin.
  const float *input;
  size_t input_length;
  // float32 [tokens][hidden] each: what goes into the first layer and every layer's output, layers + 1 of them, or only
  // the last. They must stay until the pass is done.
  float *const *outputs;
  size_t output_count;
  // Called on a thread of the encoder: when a layer is done (may be NULL), and once when the pass is.
  void (*on_layer)(void *context, int done);
  void (*on_done)(void *context, pn_status status, int layer);
  void *context;
} pn_batch;

// Copies the batch and starts the pass on the encoder's threads. One pass at a time: PN_BAD_ARGUMENT while another one
// computes. `on_done` is called only if this gives PN_OK.
pn_status pn_pass_begin(pn_encoder *encoder, const pn_batch *batch);
// The pass that computes stops after its current layer.
void pn_pass_abort(pn_encoder *encoder);

// A Linear alone, on the calling thread. x float32 [tokens][columns] -> y [tokens][rows].
pn_status pn_linear_apply(const pn_linear *linear, bool rowwise, const float *x, size_t x_length, float *y, size_t y_length);

// One row of sums at the bounds, as this processor computes it: false where the instructions give other sums.
bool pn_probe(pn_kernels kernels);

#endif
