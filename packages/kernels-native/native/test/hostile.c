// Run under AddressSanitizer and UndefinedBehaviorSanitizer by scripts/check-native.mjs. Arguments: a seed, and how
// many rounds. It prints a checksum of all results, which is the same on every processor. First, encoders of random
// shapes compute random batches on every kernel and number of threads, with equal bits. Then hostile callers: rows
// whose columns are anything, shapes that do not fit, calls out of order. Whatever the status, nothing may be read or
// written out of bounds, and nothing may leak.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../prune_native.h"

static uint64_t state;
static uint32_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 16);
}
static int below(int limit) { return (int)(next() % (uint32_t)limit); }
static float number(void) { return (float)below(2001) / 1000 - 1; }

static uint64_t checksum = 0xcbf29ce484222325ull;

static void fail(const char *what) {
  fprintf(stderr, "hostile.c: %s\n", what);
  exit(1);
}

static float *numbers(size_t count) {
  float *result = malloc((count + 1) * sizeof(float));
  for (size_t i = 0; i < count; i++) result[i] = number();
  return result;
}

typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool done;
  pn_status status;
} waiter;

static void on_done(void *context, pn_status status, int layer) {
  (void)layer;
  waiter *self = context;
  pthread_mutex_lock(&self->mutex);
  self->done = true;
  self->status = status;
  pthread_cond_signal(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}
static void on_layer(void *context, int done) {
  (void)context;
  (void)done;
}

typedef struct {
  int rows, columns;
  bool is_float;
  size_t *starts;
  uint16_t *indices;
  int8_t *values;
  float *weight, *bias, *scales;
  size_t scale_count;
} matrix;

static matrix random_matrix(int rows, int columns, bool is_float) {
  matrix m = {rows, columns, is_float, NULL, NULL, NULL, NULL, below(2) ? numbers(rows) : NULL, NULL, 1};
  if (below(2) && rows > 0) m.scale_count = rows;
  m.scales = numbers(m.scale_count);
  for (size_t i = 0; i < m.scale_count; i++) m.scales[i] = 0.001f * (m.scales[i] + 1.5f);
  if (is_float) {
    m.weight = numbers((size_t)rows * columns);
    return m;
  }
  const int density = 1 + below(100);
  const bool large = below(3) == 0;
  m.starts = malloc((rows + 1) * sizeof(size_t));
  m.indices = malloc(((size_t)rows * columns + 1) * sizeof(uint16_t));
  m.values = malloc((size_t)rows * columns + 1);
  size_t at = 0;
  for (int row = 0; row < rows; row++) {
    m.starts[row] = at;
    for (int column = 0; column < columns; column++) {
      if (below(100) >= density) continue;
      m.indices[at] = (uint16_t)column;
      m.values[at++] = (int8_t)(large ? (below(2) ? 127 : -128) : below(256) - 128);
    }
  }
  m.starts[rows] = at;
  return m;
}

static void free_matrix(matrix *m) {
  free(m->starts);
  free(m->indices);
  free(m->values);
  free(m->weight);
  free(m->bias);
  free(m->scales);
}

static pn_linear *packed(const matrix *m, pn_kernels kernels, pn_profile profile) {
  pn_linear *linear;
  if (m->is_float) {
    if (pn_linear_float(kernels, m->rows, m->columns, m->weight, m->bias, &linear) != PN_OK) fail("a float Linear");
    return linear;
  }
  if (pn_linear_begin(kernels, profile, m->rows, m->columns, m->scales, m->scale_count, m->bias, &linear) != PN_OK) fail("a Linear");
  for (int row = 0; row < m->rows; row++) {
    size_t stop;
    if (pn_linear_row16(linear, m->indices + m->starts[row], m->values + m->starts[row], m->starts[row + 1] - m->starts[row], &stop) != PN_OK) {
      fail("a row");
    }
  }
  if (pn_linear_end(linear) != PN_OK) fail("the end of a Linear");
  return linear;
}

static void encoders(void) {
  const int heads = 1 + below(3), size = 1 + below(9), hidden = heads * size, layers = 1 + below(2);
  const bool is_float = below(5) == 0;
  pn_options options = {.profile = below(PN_PROFILES),
                        .activation = below(PN_ACTIVATIONS),
                        .rowwise = below(2),
                        .int16_attention = below(2),
                        .hidden = hidden,
                        .head_size = size,
                        .eps = 1e-12f};
  matrix matrices[2][6];
  float *norms[2][4];
  for (int layer = 0; layer < layers; layer++) {
    const int width = below(heads + 1) * size, neurons = below(4) == 0 ? below(1700) : below(40);
    const int shapes[6][2] = {{width, hidden}, {width, hidden}, {width, hidden}, {hidden, width}, {neurons, hidden}, {hidden, neurons}};
    for (int i = 0; i < 6; i++) matrices[layer][i] = random_matrix(shapes[i][0], shapes[i][1], is_float);
    for (int i = 0; i < 4; i++) norms[layer][i] = numbers(hidden);
  }
  int32_t lengths[5], keys[5];
  const int sequences = 1 + below(5);
  size_t tokens = 0;
  for (int i = 0; i < sequences; i++) {
    lengths[i] = i == 0 ? 1 + below(100) : below(40);
    keys[i] = lengths[i] == 0 ? 0 : 1 + below(lengths[i]);
    tokens += lengths[i];
  }
  float *input = numbers(tokens * hidden), *wanted = NULL;
  for (int kernels = 0; kernels < PN_KERNELS; kernels++) {
    if (!((pn_available() | pn_emulated()) & (1u << kernels))) continue;
    for (int threads = 1; threads <= 3; threads += 2) {
      options.kernels = kernels;
      options.threads = threads;
      pn_encoder *encoder;
      if (pn_encoder_new(&options, &encoder) != PN_OK) fail("an encoder");
      for (int layer = 0; layer < layers; layer++) {
        for (int i = 0; i < 6; i++) {
          if (pn_encoder_add_linear(encoder, packed(&matrices[layer][i], kernels, options.profile)) != PN_OK) fail("a Linear of a layer");
        }
        for (int i = 0; i < 4; i += 2) {
          if (pn_encoder_add_norm(encoder, norms[layer][i], norms[layer][i + 1], hidden) != PN_OK) fail("a LayerNorm");
        }
      }
      if (pn_encoder_start(encoder) != PN_OK) fail("threads");
      float *output = malloc((tokens * hidden + 1) * sizeof(float));
      waiter self = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, PN_OK};
      pn_batch batch = {.sequences = sequences,
                        .lengths = lengths,
                        .key_lengths = keys,
                        .input = input,
                        .input_length = tokens * hidden,
                        .outputs = &output,
                        .output_count = 1,
                        .on_layer = on_layer,
                        .on_done = on_done,
                        .context = &self};
      for (int round = 0; round < 2; round++) {
        self.done = false;
        if (pn_pass_begin(encoder, &batch) != PN_OK) fail("a pass");
        pthread_mutex_lock(&self.mutex);
        while (!self.done) pthread_cond_wait(&self.changed, &self.mutex);
        pthread_mutex_unlock(&self.mutex);
        if (self.status != PN_OK) fail("the end of a pass");
        if (wanted == NULL) {
          wanted = malloc((tokens * hidden + 1) * sizeof(float));
          memcpy(wanted, output, tokens * hidden * sizeof(float));
        } else if (memcmp(wanted, output, tokens * hidden * sizeof(float)) != 0) fail("other bits");
      }
      // Freed while it computes.
      if (threads > 1) {
        self.done = false;
        if (pn_pass_begin(encoder, &batch) != PN_OK) fail("a last pass");
      }
      pn_encoder_free(encoder);
      free(output);
    }
  }
  // FNV-1a over what all of them computed.
  for (size_t i = 0; i < tokens * hidden; i++) {
    uint32_t bits;
    memcpy(&bits, wanted + i, 4);
    checksum = (checksum ^ bits) * 0x100000001b3ull;
  }
  free(wanted);
  free(input);
  for (int layer = 0; layer < layers; layer++) {
    for (int i = 0; i < 6; i++) free_matrix(&matrices[layer][i]);
    for (int i = 0; i < 4; i++) free(norms[layer][i]);
  }
}

// Any columns, in arrays that end with them.
static void hostile_rows(void) {
  const int kernels = below(PN_KERNELS), rows = below(5), columns = below(2) ? below(20) : below(2000);
  const float scale = 0.5f;
  pn_linear *linear;
  if (pn_linear_begin(kernels, below(PN_PROFILES), rows, columns, &scale, 1, NULL, &linear) != PN_OK) return;
  for (int row = 0; row < rows + below(3); row++) {
    const size_t count = below(3) == 0 ? 0 : (size_t)below(columns + 3);
    int32_t *wide = malloc((count + 1) * sizeof(int32_t));
    uint16_t *narrow = malloc((count + 1) * sizeof(uint16_t));
    int8_t *values = malloc(count + 1);
    int32_t column = below(3) - 1;
    for (size_t i = 0; i < count; i++) {
      wide[i] = below(50) == 0 ? (int32_t)next() : column;
      narrow[i] = (uint16_t)wide[i];
      values[i] = (int8_t)next();
      column += 1 + (below(20) == 0 ? below(3) - 1 : 0);
    }
    wide = realloc(wide, count * sizeof(int32_t) + 1);
    size_t stop;
    if (below(2)) pn_linear_row32(linear, wide, values, count, &stop);
    else pn_linear_row16(linear, narrow, values, count, &stop);
    if (stop > count) fail("a stop behind the end");
    free(wide);
    free(narrow);
    free(values);
  }
  pn_linear_end(linear);
  float x[3 * 2000] = {0}, y[3 * 5];
  pn_linear_apply(linear, below(2), x, (size_t)below(3 * 2000), y, (size_t)(below(4) * rows));
  pn_linear_apply(linear, below(2), x, (size_t)(3 * columns), y, (size_t)(3 * rows));
  if (below(2) == 0) {
    pn_linear_free(linear);
    return;
  }
  pn_options options = {.kernels = kernels, .hidden = 1 + below(20), .head_size = 1 + below(3), .threads = 1 + below(2)};
  pn_encoder *encoder;
  if (pn_encoder_new(&options, &encoder) != PN_OK) {
    pn_linear_free(linear);
    return;
  }
  pn_encoder_add_linear(encoder, linear);
  const float norm[20] = {0};
  pn_encoder_add_norm(encoder, norm, norm, (size_t)below(20));
  pn_encoder_start(encoder);
  float output[20], *outputs = output;
  const int32_t lengths[2] = {below(5) - 1, below(1 << 20)};
  const pn_batch batch = {.sequences = 2, .lengths = lengths, .key_lengths = lengths, .input = norm, .input_length = 20, .outputs = &outputs, .output_count = 1, .on_done = on_done};
  if (pn_pass_begin(encoder, &batch) == PN_OK) fail("a pass of an encoder that is not whole");
  pn_encoder_free(encoder);
}

// A pass whose numbers are not finite, lengths that do not fit, a pass that is stopped.
static void hostile_batches(void) {
  pn_options options = {.kernels = PN_AVX2, .hidden = 4, .head_size = 2, .threads = 1 + below(3), .eps = 1e-12f};
  if (!(pn_available() & (1u << PN_AVX2))) options.kernels = PN_NEON;
  pn_encoder *encoder;
  if (pn_encoder_new(&options, &encoder) != PN_OK) return;
  const int shapes[6][2] = {{4, 4}, {4, 4}, {4, 4}, {4, 4}, {3, 4}, {4, 3}};
  const float norm[4] = {1, 1, 1, 1};
  for (int i = 0; i < 6; i++) {
    matrix m = random_matrix(shapes[i][0], shapes[i][1], false);
    if (pn_encoder_add_linear(encoder, packed(&m, options.kernels, PN_FBGEMM)) != PN_OK) fail("a Linear");
    free_matrix(&m);
  }
  pn_encoder_add_norm(encoder, norm, norm, 4);
  pn_encoder_add_norm(encoder, norm, norm, 4);
  if (pn_encoder_start(encoder) != PN_OK) fail("threads");
  for (int round = 0; round < 20; round++) {
    const int count = 1 + below(4);
    int32_t lengths[4], keys[4];
    int64_t tokens = 0;
    for (int i = 0; i < count; i++) {
      lengths[i] = below(8) == 0 ? (int32_t)next() : below(20);
      keys[i] = below(4) == 0 ? (int32_t)next() : lengths[i];
      tokens += lengths[i];
    }
    const size_t length = tokens < 0 || tokens > 100 || below(8) == 0 ? (size_t)below(400) : (size_t)tokens * 4;
    float *input = numbers(length), *output = malloc((length + 1) * sizeof(float));
    if (length > 0 && below(4) == 0) memset(input + below((int)length), 255, 4);
    waiter self = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, PN_OK};
    const pn_batch batch = {.sequences = count, .lengths = lengths, .key_lengths = keys, .input = input, .input_length = length, .outputs = &output, .output_count = 1 + (size_t)(below(9) == 0) * 5, .on_done = on_done, .context = &self};
    if (batch.output_count == 1 && pn_pass_begin(encoder, &batch) == PN_OK) {
      if (below(2)) pn_pass_abort(encoder);
      pthread_mutex_lock(&self.mutex);
      while (!self.done) pthread_cond_wait(&self.changed, &self.mutex);
      pthread_mutex_unlock(&self.mutex);
    }
    free(input);
    free(output);
  }
  pn_encoder_free(encoder);
}

int main(int count, char **arguments) {
  const int rounds = count > 2 ? atoi(arguments[2]) : 20;
  const uint64_t seed = (uint64_t)(count > 1 ? atoll(arguments[1]) : 1);
  for (int kernels = 0; kernels < PN_KERNELS; kernels++) {
    if (((pn_available() | pn_emulated()) & (1u << kernels)) && !pn_probe(kernels)) fail("wrong sums");
  }
  for (int round = 0; round < rounds; round++) {
    // The same encoders on every processor, however many kernels it has.
    state = (seed * 1000003 + (uint64_t)round + 1) * 0x9e3779b97f4a7c15ull;
    encoders();
    for (int i = 0; i < 20; i++) hostile_rows();
    hostile_batches();
  }
  printf("hostile.c: %d rounds, results %016llx\n", rounds, (unsigned long long)checksum);
  return 0;
}
