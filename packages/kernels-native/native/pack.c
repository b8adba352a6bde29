// Turns rows into a weight stream, one after another as they come: no dense matrix is made. Sums are exact, so the
// order of rows and nonzeros is free, and chosen for speed: rows of a chunk are sorted by their length, so that the
// kernel's loop runs the same number of times for some rows on end.
#include <stdlib.h>
#include <string.h>
#include "internal.h"

// A growing stream of one block, and where its rows end.
typedef struct {
  uint8_t *bytes;
  size_t length, room;
  size_t *ends;
} pn_part;

typedef struct pn_packer {
  pn_form form;
  int tile, next_row;
  // Quads of a unit, and what the positive weights of a group and the magnitudes of its negative ones may add up to.
  int unit_quads, plus_bound, minus_bound;
  size_t scale_count;
  float *scales, *bias;
  pn_part *parts;
  // The row's entries in a block, as they came and sorted.
  uint16_t *offsets, *sorted_offsets;
  int8_t *weights, *sorted_weights;
  int *group_plus, *group_minus;
} pn_packer;

// Windows has no aligned_alloc, and aligned memory there needs a free of its own. This form is the same everywhere, so
// that the sanitizers report a plain free of it on any machine. The word in front of a block is what malloc gave.
void *pn_allocate(size_t bytes) {
  if (bytes > SIZE_MAX - 3 * PN_ALIGNMENT) return NULL;
  const size_t whole = (bytes + PN_ALIGNMENT) / PN_ALIGNMENT * PN_ALIGNMENT;
  char *given = malloc(whole + PN_ALIGNMENT);
  if (given == NULL) return NULL;
  // malloc aligns for a pointer, so at least one fits in front.
  char *block = given + PN_ALIGNMENT - (uintptr_t)given % PN_ALIGNMENT;
  memcpy(block - sizeof given, &given, sizeof given);
  return block;
}

void pn_release(void *block) {
  if (block == NULL) return;
  void *given;
  memcpy(&given, (char *)block - sizeof given, sizeof given);
  free(given);
}

static void packer_free(pn_packer *packer, int blocks) {
  if (packer == NULL) return;
  for (int block = 0; packer->parts != NULL && block < blocks; block++) {
    free(packer->parts[block].bytes);
    free(packer->parts[block].ends);
  }
  free(packer->parts);
  free(packer->scales);
  free(packer->bias);
  free(packer->offsets);
  free(packer->sorted_offsets);
  free(packer->weights);
  free(packer->sorted_weights);
  free(packer->group_plus);
  free(packer->group_minus);
  free(packer);
}

void pn_linear_free(pn_linear *linear) {
  if (linear == NULL) return;
  packer_free(linear->packer, linear->blocks);
  pn_release(linear->stream);
  free(linear->starts);
  free(linear->bias);
  free(linear);
}

size_t pn_linear_bytes(const pn_linear *linear) {
  if (linear == NULL) return 0;
  return linear->stream_bytes + (size_t)linear->blocks * linear->chunks * sizeof(size_t);
}

static bool shape_fits(int rows, int columns) {
  return rows >= 0 && columns >= 0 && rows <= PN_MAX_ROWS && columns <= PN_MAX_COLUMNS;
}

static pn_linear *new_linear(pn_kind kind, pn_kernels kernels, int rows, int columns) {
  pn_linear *linear = calloc(1, sizeof *linear);
  if (linear == NULL) return NULL;
  linear->kind = kind;
  linear->kernels = kernels;
  linear->rows = rows;
  linear->columns = columns;
  linear->blocks = kind == PN_FLOAT || columns == 0 ? 1 : (columns + PN_BLOCK_COLUMNS - 1) / PN_BLOCK_COLUMNS;
  linear->block_columns = (columns + linear->blocks - 1) / linear->blocks;
  linear->chunk_rows = rows == 0 ? 1 : (rows + PN_CHUNKS - 1) / PN_CHUNKS;
  linear->chunks = (rows + linear->chunk_rows - 1) / linear->chunk_rows;
  linear->starts = calloc((size_t)linear->blocks * linear->chunks + 1, sizeof *linear->starts);
  if (linear->starts == NULL) {
    free(linear);
    return NULL;
  }
  return linear;
}

pn_status pn_linear_begin(pn_kernels kernels, pn_profile profile, int rows, int columns, const float *scales,
                          size_t scale_count, const float *bias, pn_linear **result) {
  *result = NULL;
  const pn_kernel_set *set = pn_kernel_set_of(kernels);
  if (set == NULL || !shape_fits(rows, columns) || (unsigned)profile >= PN_PROFILES || scales == NULL ||
      (scale_count != 1 && scale_count != (size_t)rows)) {
    return PN_BAD_ARGUMENT;
  }
  pn_linear *linear = new_linear(PN_INT8, kernels, rows, columns);
  pn_packer *packer = linear == NULL ? NULL : calloc(1, sizeof *packer);
  if (packer == NULL) {
    pn_linear_free(linear);
    return PN_NO_MEMORY;
  }
  linear->profile = profile;
  linear->packer = packer;
  packer->form = set->form;
  packer->tile = set->tile;
  const bool bits7 = profile == PN_FBGEMM;
  packer->unit_quads = bits7 ? PN_UNIT_7BIT : PN_UNIT_8BIT;
  packer->plus_bound = bits7 ? 255 : 128;
  packer->minus_bound = bits7 ? 256 : 128;
  const size_t entries = (size_t)linear->block_columns + 8;
  packer->scale_count = scale_count;
  packer->scales = malloc((scale_count + 1) * sizeof(float));
  packer->bias = bias == NULL ? NULL : malloc(((size_t)rows + 1) * sizeof(float));
  packer->parts = calloc(linear->blocks, sizeof *packer->parts);
  packer->offsets = malloc(entries * sizeof(uint16_t));
  packer->sorted_offsets = malloc(entries * sizeof(uint16_t));
  packer->weights = malloc(entries);
  packer->sorted_weights = malloc(entries);
  packer->group_plus = malloc(entries * sizeof(int));
  packer->group_minus = malloc(entries * sizeof(int));
  bool whole = packer->scales && (bias == NULL || packer->bias) && packer->parts && packer->offsets && packer->sorted_offsets &&
               packer->weights && packer->sorted_weights && packer->group_plus && packer->group_minus;
  for (int block = 0; whole && block < linear->blocks; block++) {
    packer->parts[block].ends = malloc(((size_t)rows + 1) * sizeof(size_t));
    whole = packer->parts[block].ends != NULL;
  }
  if (!whole) {
    pn_linear_free(linear);
    return PN_NO_MEMORY;
  }
  memcpy(packer->scales, scales, scale_count * sizeof(float));
  if (bias != NULL) memcpy(packer->bias, bias, (size_t)rows * sizeof(float));
  *result = linear;
  return PN_OK;
}

static bool room(pn_part *part, size_t bytes) {
  if (part->room - part->length >= bytes) return true;
  const size_t grown = 2 * (part->length + bytes) + 4096;
  uint8_t *moved = realloc(part->bytes, grown);
  if (moved == NULL) return false;
  part->bytes = moved;
  part->room = grown;
  return true;
}

// The most quads that `count` entries can become, each entry in a group of its own.
static size_t most_quads(size_t count) { return PN_UNIT_7BIT * (count + 1); }

static uint8_t *write_quads(uint8_t *to, const pn_packer *packer, size_t count, int32_t *quads) {
  *quads = (int32_t)((count + PN_QUAD - 1) / PN_QUAD);
  for (size_t i = 0; i < count; i += PN_QUAD, to += PN_QUAD_BYTES) {
    uint16_t offsets[PN_QUAD] = {0};
    int8_t weights[PN_QUAD] = {0};
    const size_t used = count - i < PN_QUAD ? count - i : PN_QUAD;
    memcpy(offsets, packer->offsets + i, used * sizeof(uint16_t));
    memcpy(weights, packer->weights + i, used);
    memcpy(to, offsets, 8);
    memcpy(to + 8, weights, 4);
  }
  return to;
}

// Entries by sign and magnitude: the positive ones first, the largest first, then the negative ones, the largest first.
static void sort_entries(pn_packer *packer, size_t count) {
  uint32_t places[258] = {0};
  for (size_t i = 0; i < count; i++) {
    const int weight = packer->weights[i];
    places[1 + (weight >= 0 ? 127 - weight : 256 + weight)]++;
  }
  for (int i = 1; i < 258; i++) places[i] += places[i - 1];
  // Negative magnitudes rise from -128 at 128 to -1 at 255: the largest first.
  for (size_t i = 0; i < count; i++) {
    const int weight = packer->weights[i];
    const uint32_t to = places[weight >= 0 ? 127 - weight : 256 + weight]++;
    packer->sorted_offsets[to] = packer->offsets[i];
    packer->sorted_weights[to] = packer->weights[i];
  }
}

// Entries are dealt in rounds, to and fro, so that groups are even in sum: to groups 0 1 2, 2 1 0, 0 1 2, ... The two
// groups of a smaller unit take part in the last rounds alone, whose entries are the smallest negative ones.
typedef struct {
  size_t first, groups;
} pn_round;

// `unit`: quads of a unit.
static void rounds_of(size_t quads, int unit, pn_round rounds[2 * PN_UNIT_7BIT]) {
  const size_t groups = 2 * (quads / unit);
  const int rest = (int)(quads % unit);
  size_t first = 0;
  for (int i = 0; i < 2 * unit; i++) {
    rounds[i] = (pn_round){first, groups + (i >= 2 * (unit - rest) ? 2 : 0)};
    first += rounds[i].groups;
  }
}

static bool groups_fit(pn_packer *packer, size_t count, const pn_round *rounds) {
  const int round_count = 2 * packer->unit_quads;
  const size_t groups = rounds[round_count - 1].groups;
  for (size_t g = 0; g < groups; g++) packer->group_plus[g] = packer->group_minus[g] = 0;
  for (int round = 0; round < round_count; round++) {
    const int8_t *weights = packer->sorted_weights + rounds[round].first;
    for (size_t place = 0; place < rounds[round].groups && rounds[round].first + place < count; place++) {
      const size_t g = round % 2 == 0 ? place : rounds[round].groups - 1 - place;
      if (weights[place] >= 0) packer->group_plus[g] += weights[place];
      else packer->group_minus[g] -= weights[place];
    }
  }
  for (size_t g = 0; g < groups; g++) {
    if (packer->group_plus[g] > packer->plus_bound || packer->group_minus[g] > packer->minus_bound) return false;
  }
  return true;
}

// The unit whose first group is `group`. A group's entries: one from each of the last 2 * `quads` rounds.
static uint8_t *write_unit(uint8_t *to, const pn_packer *packer, size_t count, const pn_round *rounds, int quads, size_t group) {
  for (int pair = 0; pair < 2 * quads; pair++) {
    for (int half = 0; half < 2; half++) {
      const int round = 2 * (packer->unit_quads - quads + pair % quads) + half;
      const size_t g = group + pair / quads;
      const size_t entry = rounds[round].first + (round % 2 == 0 ? g : rounds[round].groups - 1 - g);
      const bool used = entry < count;
      // A weight of 0 for the first feature, which every block has.
      const uint16_t offset = used ? packer->sorted_offsets[entry] : 0;
      memcpy(to + 4 * pair + 2 * half, &offset, 2);
      to[8 * quads + 2 * pair + half] = used ? (uint8_t)packer->sorted_weights[entry] : 0;
    }
  }
  return to + quads * PN_QUAD_BYTES;
}

static uint8_t *write_pairs(uint8_t *to, pn_packer *packer, size_t count, int32_t *result) {
  sort_entries(packer, count);
  pn_round rounds[2 * PN_UNIT_7BIT];
  size_t quads = (count + PN_QUAD - 1) / PN_QUAD;
  const int unit = packer->unit_quads;
  rounds_of(quads, unit, rounds);
  // A single entry fits every group, so that this ends.
  while (!groups_fit(packer, count, rounds)) rounds_of(++quads, unit, rounds);
  *result = (int32_t)quads;
  for (size_t i = 0; i < quads / unit; i++) to = write_unit(to, packer, count, rounds, unit, 2 * i);
  const int rest = (int)(quads % unit);
  return rest == 0 ? to : write_unit(to, packer, count, rounds, rest, 2 * (quads / unit));
}

// Columns come through `column_at`, of 16 bits or of 32.
static inline __attribute__((always_inline)) pn_status add_row(pn_linear *linear, const void *columns, bool wide,
                                                               const int8_t *values, size_t count, size_t *stop) {
  pn_packer *packer = linear == NULL ? NULL : linear->packer;
  *stop = 0;
  if (packer == NULL || packer->next_row >= linear->rows) return PN_BAD_ARGUMENT;
  int32_t sum = 0;
  int64_t last = -1;
  // All of a row's columns are checked before anything is written.
  for (size_t i = 0; i < count; i++) {
    const int64_t column = wide ? ((const int32_t *)columns)[i] : ((const uint16_t *)columns)[i];
    if (column <= last || column >= linear->columns) {
      *stop = i;
      return PN_BAD_COLUMN;
    }
    last = column;
    sum += values[i];
  }
  *stop = count;
  const int row = packer->next_row;
  size_t i = 0;
  for (int block = 0; block < linear->blocks; block++) {
    const int64_t first = (int64_t)block * linear->block_columns;
    const int64_t end = first + linear->block_columns;
    size_t entries = 0;
    for (; i < count; i++) {
      const int64_t column = wide ? ((const int32_t *)columns)[i] : ((const uint16_t *)columns)[i];
      if (column >= end) break;
      if (values[i] == 0) continue;
      packer->offsets[entries] = (uint16_t)((column - first) * packer->tile);
      packer->weights[entries++] = values[i];
    }
    pn_part *part = packer->parts + block;
    if (!room(part, sizeof(pn_row_header) + most_quads(entries) * PN_QUAD_BYTES)) return PN_NO_MEMORY;
    pn_row_header header = {
        .row = row,
        .sum = sum,
        .scale = packer->scales[packer->scale_count == 1 ? 0 : row],
        // x + -0 is x for every x.
        .bias = packer->bias == NULL ? -0.0f : packer->bias[row],
    };
    uint8_t *start = part->bytes + part->length;
    uint8_t *to = start + sizeof header;
    to = packer->form == PN_QUADS ? write_quads(to, packer, entries, &header.quads)
                                  : write_pairs(to, packer, entries, &header.quads);
    memcpy(start, &header, sizeof header);
    part->length = to - part->bytes;
    part->ends[row] = part->length;
  }
  packer->next_row++;
  return PN_OK;
}

pn_status pn_linear_row16(pn_linear *linear, const uint16_t *columns, const int8_t *values, size_t count, size_t *stop) {
  return add_row(linear, columns, false, values, count, stop);
}

pn_status pn_linear_row32(pn_linear *linear, const int32_t *columns, const int8_t *values, size_t count, size_t *stop) {
  return add_row(linear, columns, true, values, count, stop);
}

typedef struct {
  size_t bytes;
  int row;
} pn_length;

static int by_length(const void *a, const void *b) {
  const pn_length *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1;
  return x->row - y->row;
}

pn_status pn_linear_end(pn_linear *linear) {
  pn_packer *packer = linear == NULL ? NULL : linear->packer;
  if (packer == NULL || packer->next_row != linear->rows) return PN_BAD_ARGUMENT;
  size_t total = 0;
  for (int block = 0; block < linear->blocks; block++) total += packer->parts[block].length;
  linear->stream = pn_allocate(total);
  pn_length *lengths = malloc(((size_t)linear->chunk_rows + 1) * sizeof *lengths);
  if (linear->stream == NULL || lengths == NULL) {
    free(lengths);
    return PN_NO_MEMORY;
  }
  linear->stream_bytes = total;
  size_t at = 0;
  for (int block = 0; block < linear->blocks; block++) {
    const pn_part *part = packer->parts + block;
    for (int chunk = 0; chunk < linear->chunks; chunk++) {
      linear->starts[block * linear->chunks + chunk] = at;
      const int first = chunk * linear->chunk_rows;
      const int end = first + linear->chunk_rows < linear->rows ? first + linear->chunk_rows : linear->rows;
      for (int row = first; row < end; row++) {
        lengths[row - first] = (pn_length){part->ends[row] - (row == 0 ? 0 : part->ends[row - 1]), row};
      }
      qsort(lengths, end - first, sizeof *lengths, by_length);
      for (int i = 0; i < end - first; i++) {
        uint8_t *to = linear->stream + at;
        memcpy(to, part->bytes + part->ends[lengths[i].row] - lengths[i].bytes, lengths[i].bytes);
        const int32_t later = lengths[i + PN_ROWS_AHEAD < end - first ? i + PN_ROWS_AHEAD : end - first - 1].row;
        memcpy(to + offsetof(pn_row_header, later), &later, sizeof later);
        at += lengths[i].bytes;
      }
    }
  }
  free(lengths);
  packer_free(packer, linear->blocks);
  linear->packer = NULL;
  return PN_OK;
}

pn_status pn_linear_float(pn_kernels kernels, int rows, int columns, const float *weight, const float *bias,
                          pn_linear **result) {
  *result = NULL;
  const pn_kernel_set *set = pn_kernel_set_of(kernels);
  if (set == NULL || !shape_fits(rows, columns) || (weight == NULL && (size_t)rows * columns > 0)) return PN_BAD_ARGUMENT;
  pn_linear *linear = new_linear(PN_FLOAT, kernels, rows, columns);
  if (linear == NULL) return PN_NO_MEMORY;
  size_t nonzeros = 0;
  for (size_t i = 0; i < (size_t)rows * columns; i++) nonzeros += weight[i] != 0;
  linear->stream_bytes = rows * sizeof(pn_float_header) + nonzeros * sizeof(pn_float_weight);
  linear->stream = pn_allocate(linear->stream_bytes);
  linear->bias = malloc(((size_t)rows + 1) * sizeof(float));
  if (linear->stream == NULL || linear->bias == NULL) {
    pn_linear_free(linear);
    return PN_NO_MEMORY;
  }
  uint8_t *to = linear->stream;
  for (int row = 0; row < rows; row++) {
    if (row % linear->chunk_rows == 0) linear->starts[row / linear->chunk_rows] = to - linear->stream;
    linear->bias[row] = bias == NULL ? -0.0f : bias[row];
    uint8_t *start = to;
    pn_float_header header = {(uint32_t)row, 0};
    to += sizeof header;
    for (int column = 0; column < columns; column++) {
      // A product with 0 changes no sum of finite numbers.
      const float value = weight[(size_t)row * columns + column];
      if (value == 0) continue;
      const pn_float_weight entry = {(uint32_t)column * (uint32_t)set->tile, value};
      memcpy(to, &entry, sizeof entry);
      to += sizeof entry;
      header.count++;
    }
    memcpy(start, &header, sizeof header);
  }
  *result = linear;
  return PN_OK;
}
