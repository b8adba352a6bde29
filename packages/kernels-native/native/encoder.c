// An encoder: its layers, its threads, and the passes that these compute. A pass is a list of phases; the items of a
// phase are taken by whichever thread is free, and a barrier ends the phase. What an item computes does not depend on
// the thread, so the number of threads changes no bit.
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "internal.h"

// About 50 us of looking before a thread sleeps: waking one takes 8 to 50 us. Tried and slower: to call sched_yield
// meanwhile. Other programs then take the processor for whole slices: 200 ms for a pass of 10 ms on a machine at load 14.
#define SPINS 2000

static inline void relax(void) {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// A number that threads wait for to change.
typedef struct {
  atomic_uint value;
  atomic_int sleepers;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
} pn_gate;

static void gate_wait(pn_gate *gate, unsigned old) {
  for (int spin = 0; spin < SPINS; spin++) {
    if (atomic_load_explicit(&gate->value, memory_order_acquire) != old) return;
    relax();
  }
  pthread_mutex_lock(&gate->mutex);
  atomic_fetch_add(&gate->sleepers, 1);
  while (atomic_load(&gate->value) == old) pthread_cond_wait(&gate->changed, &gate->mutex);
  atomic_fetch_sub(&gate->sleepers, 1);
  pthread_mutex_unlock(&gate->mutex);
}

// A thread that goes to sleep counts itself before it looks at the value for the last time: it is seen here, or sees.
static void gate_advance(pn_gate *gate) {
  atomic_fetch_add(&gate->value, 1);
  if (atomic_load(&gate->sleepers) == 0) return;
  pthread_mutex_lock(&gate->mutex);
  pthread_cond_broadcast(&gate->changed);
  pthread_mutex_unlock(&gate->mutex);
}

typedef struct {
  struct pn_encoder *encoder;
  int index;
  pthread_t thread;
  bool started;
  pn_scratch scratch;
} pn_worker;

// Memory that grows and is used by one pass after another.
typedef struct {
  void *memory;
  size_t bytes;
} pn_room;

enum { ROOM_INPUT = 0, ROOM_TOKENS, ROOM_SEQUENCES, ROOM_OUTPUTS, ROOM_HIDDEN, ROOM_QKV, ROOM_CONTEXT, ROOM_MIDDLE, ROOM_WIDE, ROOMS };

struct pn_encoder {
  pn_options options;
  const pn_kernel_set *set;
  pn_layer *layers;
  int layer_count, layer_room;
  // Of the last layer: how many Linears and LayerNorms it has.
  int linears, norms;
  bool ready, mutexes;
  float *input_norm[2];
  size_t weight_bytes;
  int widest;

  pn_worker workers[PN_MAX_THREADS];
  pn_gate jobs, phases;
  atomic_int arrived;
  // Passes that were begun.
  atomic_uint passes;
  atomic_bool computing, ending, abort;
  // The phase that computes, written between phases by the thread that ends the one before.
  pn_pass pass;
  pn_phase phase;
  int layer, items;
  bool over;
  atomic_int next_item, fault;
  pn_range *ranges;
  pn_room rooms[ROOMS];
  float **outputs;
  size_t output_count;
  pn_batch batch;
  pn_status status;
};

static bool grow(pn_encoder *encoder, int which, size_t bytes) {
  pn_room *room = encoder->rooms + which;
  if (room->bytes >= bytes && room->memory != NULL) return true;
  pn_release(room->memory);
  room->bytes = 0;
  room->memory = pn_allocate(bytes);
  if (room->memory == NULL) return false;
  // Lanes that are computed along without being wanted hold numbers.
  memset(room->memory, 0, bytes);
  room->bytes = bytes;
  return true;
}

static bool gate_new(pn_gate *gate) {
  atomic_init(&gate->value, 0);
  atomic_init(&gate->sleepers, 0);
  if (pthread_mutex_init(&gate->mutex, NULL) != 0) return false;
  if (pthread_cond_init(&gate->changed, NULL) == 0) return true;
  pthread_mutex_destroy(&gate->mutex);
  return false;
}

static void gate_free(pn_gate *gate) {
  pthread_cond_destroy(&gate->changed);
  pthread_mutex_destroy(&gate->mutex);
}

pn_status pn_encoder_new(const pn_options *options, pn_encoder **result) {
  *result = NULL;
  const pn_kernel_set *set = pn_kernel_set_of(options->kernels);
  if (set == NULL || (unsigned)options->profile >= PN_PROFILES || (unsigned)options->activation >= PN_ACTIVATIONS ||
      options->hidden < 1 || options->hidden > PN_MAX_COLUMNS || options->head_size < 1 ||
      options->hidden % options->head_size != 0 || options->threads < 1 || options->threads > PN_MAX_THREADS) {
    return PN_BAD_ARGUMENT;
  }
  pn_encoder *encoder = calloc(1, sizeof *encoder);
  if (encoder == NULL) return PN_NO_MEMORY;
  encoder->options = *options;
  encoder->set = set;
  encoder->ranges = pn_allocate(sizeof(pn_range) * PN_RANGES * options->threads);
  if (encoder->ranges == NULL || !gate_new(&encoder->jobs)) {
    pn_release(encoder->ranges);
    free(encoder);
    return PN_NO_MEMORY;
  }
  if (!gate_new(&encoder->phases)) {
    gate_free(&encoder->jobs);
    pn_release(encoder->ranges);
    free(encoder);
    return PN_NO_MEMORY;
  }
  *result = encoder;
  return PN_OK;
}

void pn_encoder_free(pn_encoder *encoder) {
  if (encoder == NULL) return;
  atomic_store(&encoder->ending, true);
  atomic_store(&encoder->abort, true);
  gate_advance(&encoder->jobs);
  for (int i = 0; i < encoder->options.threads; i++) {
    if (encoder->workers[i].started) pthread_join(encoder->workers[i].thread, NULL);
    pn_release(encoder->workers[i].scratch.memory);
  }
  for (int i = 0; i < encoder->layer_count; i++) {
    for (int j = 0; j < 6; j++) pn_linear_free(encoder->layers[i].linears[j]);
    for (int j = 0; j < 4; j++) free(encoder->layers[i].norms[j / 2][j % 2]);
  }
  free(encoder->layers);
  for (int i = 0; i < 2; i++) free(encoder->input_norm[i]);
  for (int i = 0; i < ROOMS; i++) pn_release(encoder->rooms[i].memory);
  pn_release(encoder->ranges);
  gate_free(&encoder->jobs);
  gate_free(&encoder->phases);
  free(encoder);
}

static pn_layer *open_layer(pn_encoder *encoder) {
  if (encoder->layer_count > 0 && (encoder->linears < 6 || encoder->norms < 2)) return encoder->layers + encoder->layer_count - 1;
  if (encoder->layer_count == PN_MAX_LAYERS) return NULL;
  if (encoder->layer_count == encoder->layer_room) {
    const int grown = 2 * encoder->layer_room + 12;
    pn_layer *moved = realloc(encoder->layers, grown * sizeof *moved);
    if (moved == NULL) return NULL;
    encoder->layers = moved;
    encoder->layer_room = grown;
  }
  encoder->layers[encoder->layer_count] = (pn_layer){0};
  encoder->linears = encoder->norms = 0;
  return encoder->layers + encoder->layer_count++;
}

// Whether a Linear of this shape is the `which`-th of a layer whose Linears before it are there.
static bool linear_fits(const pn_encoder *encoder, const pn_layer *layer, int which, const pn_linear *linear) {
  const int hidden = encoder->options.hidden;
  const int rows = linear->rows, columns = linear->columns;
  switch (which) {
    case PN_QUERY: return columns == hidden && rows <= hidden && rows % encoder->options.head_size == 0;
    case PN_KEY:
    case PN_VALUE: return columns == hidden && rows == layer->linears[PN_QUERY]->rows;
    case PN_ATTENTION_OUTPUT: return rows == hidden && columns == layer->linears[PN_QUERY]->rows;
    case PN_INTERMEDIATE: return columns == hidden && rows <= PN_MAX_COLUMNS;
    case PN_OUTPUT: return rows == hidden && columns == layer->linears[PN_INTERMEDIATE]->rows;
    default: return false;
  }
}

pn_status pn_encoder_add_linear(pn_encoder *encoder, pn_linear *linear) {
  pn_status status = PN_BAD_ARGUMENT;
  if (encoder != NULL && linear != NULL && !encoder->ready && linear->packer == NULL && linear->kernels == encoder->options.kernels &&
      (linear->kind == PN_FLOAT || linear->profile == encoder->options.profile)) {
    pn_layer *layer = open_layer(encoder);
    if (layer == NULL) status = PN_NO_MEMORY;
    else if (encoder->linears < 6 && linear_fits(encoder, layer, encoder->linears, linear)) {
      layer->linears[encoder->linears++] = linear;
      encoder->weight_bytes += pn_linear_bytes(linear);
      if (linear->columns > encoder->widest) encoder->widest = linear->columns;
      if (linear->rows > encoder->widest) encoder->widest = linear->rows;
      return PN_OK;
    }
  }
  pn_linear_free(linear);
  return status;
}

static pn_status copy_norm(pn_encoder *encoder, float *to[2], const float *weight, const float *bias, size_t length) {
  if (length != (size_t)encoder->options.hidden || weight == NULL || bias == NULL) return PN_BAD_ARGUMENT;
  const float *const from[2] = {weight, bias};
  for (int i = 0; i < 2; i++) {
    if ((to[i] = malloc(length * sizeof(float))) == NULL) return PN_NO_MEMORY;
    memcpy(to[i], from[i], length * sizeof(float));
  }
  encoder->weight_bytes += 2 * length * sizeof(float);
  return PN_OK;
}

pn_status pn_encoder_add_norm(pn_encoder *encoder, const float *weight, const float *bias, size_t length) {
  if (encoder == NULL || encoder->ready || encoder->linears != 6 || encoder->norms > 1) return PN_BAD_ARGUMENT;
  const pn_status status = copy_norm(encoder, encoder->layers[encoder->layer_count - 1].norms[encoder->norms], weight, bias, length);
  if (status == PN_OK) encoder->norms++;
  return status;
}

pn_status pn_encoder_input_norm(pn_encoder *encoder, const float *weight, const float *bias, size_t length) {
  if (encoder == NULL || encoder->ready || encoder->input_norm[0] != NULL) return PN_BAD_ARGUMENT;
  return copy_norm(encoder, encoder->input_norm, weight, bias, length);
}

int pn_encoder_layers(const pn_encoder *encoder) { return encoder->layer_count; }

size_t pn_encoder_bytes(const pn_encoder *encoder) {
  size_t bytes = encoder->weight_bytes;
  for (int i = 0; i < ROOMS; i++) bytes += encoder->rooms[i].bytes;
  for (int i = 0; i < encoder->options.threads; i++) bytes += encoder->workers[i].scratch.bytes;
  return bytes;
}

// ---- phases

static void set_items(pn_encoder *encoder, pn_phase phase) {
  pn_pass *pass = &encoder->pass;
  encoder->phase = phase;
  encoder->items = phase == PN_ATTEND ? pass->sequence_count * (pass->width / encoder->options.head_size) : pass->tiles;
  if (phase == PN_QKV || phase == PN_ADD_ATTENTION || phase == PN_WIDEN || phase == PN_NARROW) encoder->items *= pass->parts;
}

static void enter_layer(pn_encoder *encoder, int layer) {
  pn_pass *pass = &encoder->pass;
  encoder->layer = layer;
  pass->layer = encoder->layers + layer;
  pass->width = pass->layer->linears[PN_QUERY]->rows;
  pass->neurons = pass->layer->linears[PN_INTERMEDIATE]->rows;
  pass->number++;
}

static void end_pass(pn_encoder *encoder, pn_status status) {
  encoder->status = status;
  encoder->over = true;
}

// After a layer, or the input, whose states may be wanted: the next layer, or the end.
static void after_states(pn_encoder *encoder) {
  const int next = encoder->layer + 1;
  if (next == encoder->layer_count) end_pass(encoder, PN_OK);
  else if (atomic_load(&encoder->abort)) end_pass(encoder, PN_ABORTED);
  else {
    enter_layer(encoder, next);
    set_items(encoder, PN_QKV);
  }
}

static void after_layer(pn_encoder *encoder) {
  const int done = encoder->layer + 1;
  if (done > 0) {
    pn_range range = {0, PN_NONE_BELOW};
    for (int thread = 0; thread < encoder->pass.threads; thread++) {
      const pn_range *other = encoder->ranges + PN_RANGE_HIDDEN * encoder->pass.threads + thread;
      if (other->high > range.high) range.high = other->high;
      if (other->low > range.low) range.low = other->low;
    }
    if (!pn_range_finite(range)) {
      end_pass(encoder, PN_LAYER_NOT_FINITE);
      return;
    }
    if (encoder->batch.on_layer != NULL) encoder->batch.on_layer(encoder->batch.context, done);
  }
  const bool all = encoder->output_count > 1;
  if (all || done == encoder->layer_count) {
    encoder->pass.output = encoder->outputs[all ? done : 0];
    set_items(encoder, PN_STORE);
  } else after_states(encoder);
}

// Called by one thread while the others wait.
static void next_phase(pn_encoder *encoder) {
  atomic_store(&encoder->next_item, 0);
  if (atomic_load(&encoder->fault)) {
    end_pass(encoder, encoder->phase == PN_LOAD ? PN_INPUT_NOT_FINITE : PN_LAYER_NOT_FINITE);
    return;
  }
  const bool split = encoder->pass.parts > 1;
  switch (encoder->phase) {
    case PN_LOAD: {
      bool finite = true;
      for (int thread = 0; thread < encoder->pass.threads; thread++) {
        finite &= pn_range_finite(encoder->ranges[PN_RANGE_HIDDEN * encoder->pass.threads + thread]);
      }
      if (finite) after_layer(encoder);
      else end_pass(encoder, PN_INPUT_NOT_FINITE);
      return;
    }
    case PN_QKV: set_items(encoder, PN_ATTEND); return;
    case PN_ATTEND: set_items(encoder, PN_ADD_ATTENTION); return;
    case PN_ADD_ATTENTION: set_items(encoder, split ? PN_NORM_MIDDLE : PN_WIDEN); return;
    case PN_NORM_MIDDLE: set_items(encoder, PN_WIDEN); return;
    case PN_WIDEN: set_items(encoder, PN_NARROW); return;
    case PN_NARROW:
      if (split) set_items(encoder, PN_NORM_HIDDEN);
      else after_layer(encoder);
      return;
    case PN_NORM_HIDDEN: after_layer(encoder); return;
    case PN_STORE: after_states(encoder); return;
  }
}

// The tensor whose range a phase finds, or -1.
static int ranged_tensor(pn_phase phase, bool split) {
  switch (phase) {
    case PN_LOAD:
    case PN_NORM_HIDDEN: return PN_RANGE_HIDDEN;
    case PN_ATTEND: return PN_RANGE_CONTEXT;
    case PN_NORM_MIDDLE: return PN_RANGE_MIDDLE;
    case PN_WIDEN: return PN_RANGE_WIDE;
    case PN_ADD_ATTENTION: return split ? -1 : PN_RANGE_MIDDLE;
    case PN_NARROW: return split ? -1 : PN_RANGE_HIDDEN;
    default: return -1;
  }
}

static void compute(pn_encoder *encoder, pn_worker *worker) {
  const int threads = encoder->options.threads;
  while (!encoder->over) {
    const int tensor = ranged_tensor(encoder->phase, encoder->pass.parts > 1);
    if (tensor >= 0) encoder->ranges[tensor * threads + worker->index] = (pn_range){0, PN_NONE_BELOW};
    for (;;) {
      const int item = atomic_fetch_add_explicit(&encoder->next_item, 1, memory_order_relaxed);
      if (item >= encoder->items) break;
      encoder->set->item(&encoder->pass, encoder->phase, item, &worker->scratch, worker->index);
    }
    const unsigned phase = atomic_load(&encoder->phases.value);
    if (atomic_fetch_add(&encoder->arrived, 1) == threads - 1) {
      atomic_store(&encoder->arrived, 0);
      next_phase(encoder);
      gate_advance(&encoder->phases);
    } else gate_wait(&encoder->phases, phase);
  }
}

static void *work(void *argument) {
  pn_worker *worker = argument;
  pn_encoder *encoder = worker->encoder;
  unsigned job = 0, passes = 0;
  for (;;) {
    gate_wait(&encoder->jobs, job);
    job++;
    // All threads compute a pass that was begun, also where the encoder is being freed: they wait for each other.
    if (passes == atomic_load(&encoder->passes)) {
      if (atomic_load(&encoder->ending)) return NULL;
      continue;
    }
    passes++;
    compute(encoder, worker);
    // All threads have left `compute` before the next pass can begin.
    if (atomic_fetch_add(&encoder->arrived, 1) == encoder->options.threads - 1) {
      atomic_store(&encoder->arrived, 0);
      const pn_batch batch = encoder->batch;
      const pn_status status = encoder->status;
      const int layer = encoder->layer < 0 ? 0 : encoder->layer;
      atomic_store(&encoder->computing, false);
      batch.on_done(batch.context, status, layer);
    }
  }
}

pn_status pn_encoder_start(pn_encoder *encoder) {
  if (encoder == NULL || encoder->ready || encoder->layer_count == 0 || encoder->linears != 6 || encoder->norms != 2) return PN_BAD_ARGUMENT;
  encoder->ready = true;
  for (int i = 0; i < encoder->options.threads; i++) {
    pn_worker *worker = encoder->workers + i;
    worker->encoder = encoder;
    worker->index = i;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) return PN_NO_THREAD;
    worker->started = true;
  }
  return PN_OK;
}

// ---- passes

static bool scratch_for(pn_encoder *encoder, size_t bytes) {
  for (int i = 0; i < encoder->options.threads; i++) {
    pn_scratch *scratch = &encoder->workers[i].scratch;
    scratch->coded = 0;
    if (scratch->bytes >= bytes) continue;
    pn_release(scratch->memory);
    scratch->bytes = 0;
    scratch->memory = pn_allocate(bytes);
    if (scratch->memory == NULL) return false;
    memset(scratch->memory, 0, bytes);
    scratch->bytes = bytes;
  }
  return true;
}

static pn_status lay_out(pn_encoder *encoder, const pn_batch *batch) {
  const int hidden = encoder->options.hidden;
  pn_pass *pass = &encoder->pass;
  int64_t tokens = 0, lanes = 0;
  int max_keys = 0;
  if (batch->sequences < 0 || batch->sequences > PN_MAX_TOKENS) return PN_BAD_ARGUMENT;
  for (int i = 0; i < batch->sequences; i++) {
    const int length = batch->lengths[i], keys = batch->key_lengths[i];
    if (length < 0 || keys > length || keys < (length > 0)) return PN_BAD_ARGUMENT;
    tokens += length;
    lanes += (length + 3) / 4 * 4;
    if (tokens > PN_MAX_TOKENS) return PN_BAD_ARGUMENT;
    if (keys > max_keys) max_keys = keys;
  }
  if (tokens == 0 || batch->input_length != (size_t)tokens * hidden || batch->on_done == NULL ||
      (batch->output_count != 1 && batch->output_count != (size_t)encoder->layer_count + 1)) {
    return PN_BAD_ARGUMENT;
  }
  const int tile = encoder->set->tile;
  pass->tokens = (int)tokens;
  pass->lanes = (int)lanes;
  pass->tiles = (int)((lanes + tile - 1) / tile);
  pass->max_keys = max_keys;
  int most_neurons = 0;
  for (int i = 0; i < encoder->layer_count; i++) {
    const int neurons = encoder->layers[i].linears[PN_INTERMEDIATE]->rows;
    if (neurons > most_neurons) most_neurons = neurons;
  }
  const size_t states = (size_t)pass->tiles * tile * hidden * sizeof(float);
  if (!grow(encoder, ROOM_INPUT, batch->input_length * sizeof(float)) ||
      !grow(encoder, ROOM_TOKENS, (size_t)pass->tiles * tile * sizeof(int32_t)) ||
      !grow(encoder, ROOM_SEQUENCES, batch->sequences * sizeof(pn_sequence)) ||
      !grow(encoder, ROOM_OUTPUTS, batch->output_count * sizeof(float *)) || !grow(encoder, ROOM_HIDDEN, states) ||
      !grow(encoder, ROOM_QKV, 3 * states) || !grow(encoder, ROOM_CONTEXT, states) || !grow(encoder, ROOM_MIDDLE, states) ||
      !grow(encoder, ROOM_WIDE, (size_t)pass->tiles * tile * most_neurons * sizeof(float)) ||
      !scratch_for(encoder, encoder->set->scratch_bytes(encoder->widest, encoder->options.head_size, max_keys))) {
    return PN_NO_MEMORY;
  }
  int32_t *token_of_lane = encoder->rooms[ROOM_TOKENS].memory;
  pn_sequence *sequences = encoder->rooms[ROOM_SEQUENCES].memory;
  int token = 0, lane = 0, count = 0;
  for (int i = 0; i < batch->sequences; i++) {
    const int length = batch->lengths[i];
    if (length == 0) continue;
    sequences[count++] = (pn_sequence){lane, length, batch->key_lengths[i]};
    for (int j = 0; j < (length + 3) / 4 * 4; j++) token_of_lane[lane++] = token + (j < length ? j : length - 1);
    token += length;
  }
  // As fill_context of tile.c: what lies behind the last lane repeats the last four.
  for (; lane < pass->tiles * tile; lane++) token_of_lane[lane] = token_of_lane[pass->lanes - 4 + lane % 4];
  pass->sequence_count = count;
  pass->sequences = sequences;
  pass->token_of_lane = token_of_lane;
  pass->options = &encoder->options;
  pass->input_norm = encoder->input_norm[0] == NULL ? NULL : (const float *const *)encoder->input_norm;
  pass->input = encoder->rooms[ROOM_INPUT].memory;
  pass->hidden = encoder->rooms[ROOM_HIDDEN].memory;
  pass->qkv = encoder->rooms[ROOM_QKV].memory;
  pass->context = encoder->rooms[ROOM_CONTEXT].memory;
  pass->middle = encoder->rooms[ROOM_MIDDLE].memory;
  pass->wide = encoder->rooms[ROOM_WIDE].memory;
  pass->ranges = encoder->ranges;
  pass->threads = encoder->options.threads;
  pass->fault = &encoder->fault;
  // Each part quantizes its tile again, so a tile is divided only where threads would have nothing to do.
  const int wanted = 2 * pass->threads;
  pass->parts = pass->threads == 1 || pass->tiles >= wanted ? 1 : (wanted + pass->tiles - 1) / pass->tiles;
  if (pass->parts > PN_CHUNKS) pass->parts = PN_CHUNKS;
  memcpy(encoder->rooms[ROOM_INPUT].memory, batch->input, batch->input_length * sizeof(float));
  encoder->outputs = encoder->rooms[ROOM_OUTPUTS].memory;
  encoder->output_count = batch->output_count;
  memcpy(encoder->outputs, batch->outputs, batch->output_count * sizeof(float *));
  return PN_OK;
}

pn_status pn_pass_begin(pn_encoder *encoder, const pn_batch *batch) {
  if (encoder == NULL || !encoder->ready || atomic_load(&encoder->computing)) return PN_BAD_ARGUMENT;
  const pn_status status = lay_out(encoder, batch);
  if (status != PN_OK) return status;
  encoder->batch = *batch;
  encoder->status = PN_OK;
  encoder->over = false;
  encoder->layer = -1;
  encoder->pass.layer = NULL;
  encoder->pass.width = encoder->pass.neurons = 0;
  atomic_store(&encoder->fault, 0);
  atomic_store(&encoder->abort, false);
  atomic_store(&encoder->next_item, 0);
  set_items(encoder, PN_LOAD);
  atomic_store(&encoder->computing, true);
  atomic_fetch_add(&encoder->passes, 1);
  gate_advance(&encoder->jobs);
  return PN_OK;
}

void pn_pass_abort(pn_encoder *encoder) { atomic_store(&encoder->abort, true); }
