// The Node-API side: hands what JavaScript gives to prune_native.h, and its results back. Functions give a pn_status as
// a number, or throw a TypeError where an argument is not of the type that they take. src/addon.ts has their types.
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include "prune_native.h"

// What a JavaScript object wraps.
typedef struct {
  pn_encoder *encoder;
  pn_linear *linear;
  napi_env env;
  napi_threadsafe_function events;
  // During a pass: its callback, and an array of all that its threads read and write.
  napi_ref callback, kept;
  bool hooked;
  // Bytes that JavaScript's garbage collection was told of.
  int64_t told;
} pn_handle;

static const napi_type_tag HANDLE_TAG = {0x7072756e652d6e61ull, 0x746976652d68616eull};

static napi_value type_error(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

#define ARGUMENTS(count)                                                                                               \
  napi_value args[count];                                                                                              \
  size_t given = count;                                                                                                \
  if (napi_get_cb_info(env, info, &given, args, NULL, NULL) != napi_ok || given != count)                              \
  return type_error(env, "wrong number of arguments")

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value status_value(napi_env env, pn_status status) { return number(env, status); }

static bool int_of(napi_env env, napi_value value, int32_t *result) {
  napi_valuetype type;
  double number;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_number) return false;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= INT32_MIN && number <= INT32_MAX)) return false;
  *result = (int32_t)number;
  return *result == number;
}

static bool bool_of(napi_env env, napi_value value, bool *result) { return napi_get_value_bool(env, value, result) == napi_ok; }

static bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  bool is_array = false;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array) return false;
  return napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == wanted;
}

static bool is_null(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_null;
}

static pn_handle *handle_of(napi_env env, napi_value value) {
  napi_valuetype type;
  bool tagged = false;
  void *handle = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return NULL;
  if (napi_check_object_type_tag(env, value, &HANDLE_TAG, &tagged) != napi_ok || !tagged) return NULL;
  return napi_unwrap(env, value, &handle) == napi_ok ? handle : NULL;
}

// Tells JavaScript's garbage collection how much memory a handle holds, so that it collects handles in time.
static void account(pn_handle *handle) {
  int64_t bytes = 0, total;
  if (handle->encoder != NULL) bytes += (int64_t)pn_encoder_bytes(handle->encoder);
  if (handle->linear != NULL) bytes += (int64_t)pn_linear_bytes(handle->linear);
  napi_adjust_external_memory(handle->env, bytes - handle->told, &total);
  handle->told = bytes;
}

// Runs before Node takes the threadsafe function away, which was made before this hook was added.
static void end_environment(void *data) {
  pn_handle *handle = data;
  pn_encoder_free(handle->encoder);
  handle->encoder = NULL;
  // Node frees the threadsafe function itself.
  handle->events = NULL;
  handle->hooked = false;
}

static void free_handle(pn_handle *handle) {
  pn_encoder_free(handle->encoder);
  handle->encoder = NULL;
  if (handle->hooked) {
    napi_remove_env_cleanup_hook(handle->env, end_environment, handle);
    handle->hooked = false;
  }
  if (handle->events != NULL) {
    napi_release_threadsafe_function(handle->events, napi_tsfn_release);
    handle->events = NULL;
  }
  pn_linear_free(handle->linear);
  handle->linear = NULL;
  account(handle);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free_handle(data);
  free(data);
}

static napi_value new_handle(napi_env env, pn_handle **result) {
  napi_value object;
  pn_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) return NULL;
  handle->env = env;
  if (napi_create_object(env, &object) != napi_ok || napi_wrap(env, object, handle, finalize, NULL, NULL) != napi_ok) {
    free(handle);
    return NULL;
  }
  if (napi_type_tag_object(env, object, &HANDLE_TAG) != napi_ok) return NULL;
  *result = handle;
  return object;
}

// ---- what there is

static napi_value available(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, pn_available());
}

static napi_value emulated(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, pn_emulated());
}

static napi_value probe(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int32_t kernels;
  if (!int_of(env, args[0], &kernels)) return type_error(env, "probe(kernels)");
  napi_value result = NULL;
  napi_get_boolean(env, pn_probe((pn_kernels)kernels), &result);
  return result;
}

// ---- Linears

static napi_value linear_result(napi_env env, pn_status status, pn_linear *linear) {
  if (status != PN_OK) return status_value(env, status);
  pn_handle *handle;
  napi_value object = new_handle(env, &handle);
  if (object == NULL) {
    pn_linear_free(linear);
    return status_value(env, PN_NO_MEMORY);
  }
  handle->linear = linear;
  account(handle);
  return object;
}

// linear(kernels, profile, rows, columns, scales, bias): a handle, or a status
static napi_value linear(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  int32_t kernels, profile, rows, columns;
  void *scales, *bias = NULL;
  size_t scale_count, bias_count = 0;
  if (!int_of(env, args[0], &kernels) || !int_of(env, args[1], &profile) || !int_of(env, args[2], &rows) ||
      !int_of(env, args[3], &columns) || !array_of(env, args[4], napi_float32_array, &scales, &scale_count) ||
      !(is_null(env, args[5]) || array_of(env, args[5], napi_float32_array, &bias, &bias_count))) {
    return type_error(env, "linear(kernels, profile, rows, columns, scales, bias)");
  }
  if (rows < 0 || (!is_null(env, args[5]) && bias_count != (size_t)rows)) return status_value(env, PN_BAD_ARGUMENT);
  pn_linear *result;
  // An empty array has no address.
  static const float nothing[1];
  const pn_status status = pn_linear_begin((pn_kernels)kernels, (pn_profile)profile, rows, columns, scale_count ? scales : nothing,
                                           scale_count, bias, &result);
  return linear_result(env, status, result);
}

// floatLinear(kernels, rows, columns, weight, bias): a handle, or a status
static napi_value float_linear(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  int32_t kernels, rows, columns;
  void *weight, *bias = NULL;
  size_t weight_count, bias_count = 0;
  if (!int_of(env, args[0], &kernels) || !int_of(env, args[1], &rows) || !int_of(env, args[2], &columns) ||
      !array_of(env, args[3], napi_float32_array, &weight, &weight_count) ||
      !(is_null(env, args[4]) || array_of(env, args[4], napi_float32_array, &bias, &bias_count))) {
    return type_error(env, "floatLinear(kernels, rows, columns, weight, bias)");
  }
  if (rows < 0 || columns < 0 || weight_count != (size_t)rows * (size_t)columns ||
      (!is_null(env, args[4]) && bias_count != (size_t)rows)) {
    return status_value(env, PN_BAD_ARGUMENT);
  }
  pn_linear *result;
  const pn_status status = pn_linear_float((pn_kernels)kernels, rows, columns, weight, bias, &result);
  return linear_result(env, status, result);
}

typedef struct {
  void *columns;
  int8_t *values;
  size_t length;
  bool wide;
} nonzeros;

static bool nonzeros_of(napi_env env, napi_value columns, napi_value values, nonzeros *result) {
  size_t column_count, value_count;
  void *data;
  result->wide = array_of(env, columns, napi_int32_array, &result->columns, &column_count);
  if (!result->wide && !array_of(env, columns, napi_uint16_array, &result->columns, &column_count)) return false;
  if (!array_of(env, values, napi_int8_array, &data, &value_count)) return false;
  result->values = data;
  result->length = column_count < value_count ? column_count : value_count;
  return true;
}

static pn_status add_row(pn_linear *linear, const nonzeros *from, size_t start, size_t end, size_t *stop) {
  if (start > end || end > from->length) return PN_BAD_ARGUMENT;
  // No address comes of no element.
  static const int8_t nothing[4];
  const int8_t *values = end > start ? from->values + start : nothing;
  pn_status status;
  if (from->wide) status = pn_linear_row32(linear, end > start ? (const int32_t *)from->columns + start : (const int32_t *)nothing, values, end - start, stop);
  else status = pn_linear_row16(linear, end > start ? (const uint16_t *)from->columns + start : (const uint16_t *)nothing, values, end - start, stop);
  *stop += start;
  return status;
}

// row(linear, indices, data, start, end): the place where it stopped, `end` when all is well; a negative status
static napi_value row(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  int32_t start, end;
  nonzeros from;
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL || !nonzeros_of(env, args[1], args[2], &from) || !int_of(env, args[3], &start) || !int_of(env, args[4], &end)) {
    return type_error(env, "row(linear, indices, data, start, end)");
  }
  size_t stop = 0;
  const pn_status status = start < 0 || end < 0 ? PN_BAD_ARGUMENT : add_row(handle->linear, &from, start, end, &stop);
  return number(env, status == PN_OK || status == PN_BAD_COLUMN ? (double)stop : -(double)status);
}

// rows(linear, indptr, indices, data): all rows of a matrix; a status
static napi_value rows(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  void *indptr;
  size_t pointers;
  nonzeros from;
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL || !array_of(env, args[1], napi_int32_array, &indptr, &pointers) || !nonzeros_of(env, args[2], args[3], &from)) {
    return type_error(env, "rows(linear, indptr, indices, data)");
  }
  const int32_t *at = indptr;
  for (size_t i = 0; i + 1 < pointers; i++) {
    size_t stop;
    if (at[i] < 0 || at[i + 1] < at[i]) return status_value(env, PN_BAD_ARGUMENT);
    const pn_status status = add_row(handle->linear, &from, at[i], at[i + 1], &stop);
    if (status != PN_OK) return status_value(env, status);
  }
  return status_value(env, PN_OK);
}

// endLinear(linear): a status
static napi_value end_linear(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL) return type_error(env, "endLinear(linear)");
  const pn_status status = pn_linear_end(handle->linear);
  account(handle);
  return status_value(env, status);
}

// linearBytes(linear)
static napi_value linear_bytes(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL) return type_error(env, "linearBytes(linear)");
  return number(env, handle->linear == NULL ? 0 : (double)pn_linear_bytes(handle->linear));
}

// apply(linear, rowwise, x, y): a status
static napi_value apply(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  pn_handle *handle = handle_of(env, args[0]);
  bool rowwise;
  void *x, *y;
  size_t x_length, y_length;
  if (handle == NULL || !bool_of(env, args[1], &rowwise) || !array_of(env, args[2], napi_float32_array, &x, &x_length) ||
      !array_of(env, args[3], napi_float32_array, &y, &y_length)) {
    return type_error(env, "apply(linear, rowwise, x, y)");
  }
  return status_value(env, pn_linear_apply(handle->linear, rowwise, x, x_length, y, y_length));
}

// ---- encoders

// What a thread of the encoder says, in the bits of a pointer: a layer is done, or the pass with a status and a layer.
static void *event_of(int status, int layer) { return (void *)(((uintptr_t)(status + 1) << 32) | (uint32_t)layer); }

static void on_layer(void *context, int done) {
  pn_handle *handle = context;
  napi_call_threadsafe_function(handle->events, event_of(-1, done), napi_tsfn_nonblocking);
}

static void on_done(void *context, pn_status status, int layer) {
  pn_handle *handle = context;
  napi_call_threadsafe_function(handle->events, event_of((int)status, layer), napi_tsfn_nonblocking);
}

// On the JavaScript thread: calls callback(status or -1, layer).
static void on_event(napi_env env, napi_value ignored, void *context, void *data) {
  (void)ignored;
  pn_handle *handle = context;
  if (env == NULL || handle->callback == NULL) return;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  const int status = (int)((uintptr_t)data >> 32) - 1;
  const int layer = (int)(uint32_t)(uintptr_t)data;
  napi_value callback, receiver, result, arguments[2] = {number(env, status), number(env, layer)};
  napi_get_reference_value(env, handle->callback, &callback);
  napi_get_undefined(env, &receiver);
  if (status >= 0) {
    napi_delete_reference(env, handle->callback);
    napi_delete_reference(env, handle->kept);
    handle->callback = handle->kept = NULL;
    napi_unref_threadsafe_function(env, handle->events);
  }
  napi_call_function(env, receiver, callback, 2, arguments, &result);
  napi_close_handle_scope(env, scope);
}

// encoder(kernels, profile, activation, rowwise, int16, hidden, headSize, eps, threads): a handle, or a status
static napi_value encoder(napi_env env, napi_callback_info info) {
  ARGUMENTS(9);
  int32_t kernels, profile, activation, hidden, head_size, threads;
  bool rowwise, int16;
  double eps;
  if (!int_of(env, args[0], &kernels) || !int_of(env, args[1], &profile) || !int_of(env, args[2], &activation) ||
      !bool_of(env, args[3], &rowwise) || !bool_of(env, args[4], &int16) || !int_of(env, args[5], &hidden) ||
      !int_of(env, args[6], &head_size) || napi_get_value_double(env, args[7], &eps) != napi_ok || !int_of(env, args[8], &threads)) {
    return type_error(env, "encoder(kernels, profile, activation, rowwise, int16, hidden, headSize, eps, threads)");
  }
  const pn_options options = {
      .kernels = (pn_kernels)kernels,
      .profile = (pn_profile)profile,
      .activation = (pn_activation)activation,
      .rowwise = rowwise,
      .int16_attention = int16,
      .hidden = hidden,
      .head_size = head_size,
      .eps = (float)eps,
      .threads = threads,
  };
  pn_encoder *result;
  const pn_status status = pn_encoder_new(&options, &result);
  if (status != PN_OK) return status_value(env, status);
  pn_handle *handle;
  napi_value object = new_handle(env, &handle);
  if (object == NULL) {
    pn_encoder_free(result);
    return status_value(env, PN_NO_MEMORY);
  }
  handle->encoder = result;
  return object;
}

// addLinear(encoder, linear): a status; the linear's handle is empty afterwards
static napi_value add_linear(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  pn_handle *handle = handle_of(env, args[0]), *other = handle_of(env, args[1]);
  if (handle == NULL || other == NULL) return type_error(env, "addLinear(encoder, linear)");
  if (handle->encoder == NULL || other->linear == NULL) return status_value(env, PN_BAD_ARGUMENT);
  const pn_status status = pn_encoder_add_linear(handle->encoder, other->linear);
  other->linear = NULL;
  account(handle);
  account(other);
  return status_value(env, status);
}

// addNorm(encoder, weight, bias, ofInput): a status
static napi_value add_norm(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  pn_handle *handle = handle_of(env, args[0]);
  void *weight, *bias;
  size_t weights, biases;
  bool of_input;
  if (handle == NULL || !array_of(env, args[1], napi_float32_array, &weight, &weights) ||
      !array_of(env, args[2], napi_float32_array, &bias, &biases) || !bool_of(env, args[3], &of_input)) {
    return type_error(env, "addNorm(encoder, weight, bias, ofInput)");
  }
  if (weights != biases) return status_value(env, PN_BAD_ARGUMENT);
  return status_value(env, of_input ? pn_encoder_input_norm(handle->encoder, weight, bias, weights)
                                    : pn_encoder_add_norm(handle->encoder, weight, bias, weights));
}

// start(encoder): a status
static napi_value start(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL) return type_error(env, "start(encoder)");
  if (handle->encoder == NULL || handle->events != NULL) return status_value(env, PN_BAD_ARGUMENT);
  napi_value name;
  if (napi_create_string_utf8(env, "prune", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, handle, on_event, &handle->events) != napi_ok) {
    return status_value(env, PN_NO_MEMORY);
  }
  napi_unref_threadsafe_function(env, handle->events);
  handle->hooked = napi_add_env_cleanup_hook(env, end_environment, handle) == napi_ok;
  if (!handle->hooked) return status_value(env, PN_NO_MEMORY);
  return status_value(env, pn_encoder_start(handle->encoder));
}

// bytes(encoder)
static napi_value bytes(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL) return type_error(env, "bytes(encoder)");
  return number(env, handle->encoder == NULL ? 0 : (double)pn_encoder_bytes(handle->encoder));
}

#define MAX_OUTPUTS (PN_MAX_LAYERS + 1)

// pass(encoder, input, lengths, keyLengths, outputs, reportsLayers, callback): a status. `callback` is called with -1
// and how many layers are done, and at last with a status and a layer; only where the status given is PN_OK.
static napi_value pass(napi_env env, napi_callback_info info) {
  ARGUMENTS(7);
  pn_handle *handle = handle_of(env, args[0]);
  void *input, *lengths, *key_lengths;
  size_t input_length, sequences, key_count;
  uint32_t output_count;
  bool reports;
  napi_valuetype type;
  if (handle == NULL || !array_of(env, args[1], napi_float32_array, &input, &input_length) ||
      !array_of(env, args[2], napi_int32_array, &lengths, &sequences) ||
      !array_of(env, args[3], napi_int32_array, &key_lengths, &key_count) ||
      napi_get_array_length(env, args[4], &output_count) != napi_ok || !bool_of(env, args[5], &reports) ||
      napi_typeof(env, args[6], &type) != napi_ok || type != napi_function) {
    return type_error(env, "pass(encoder, input, lengths, keyLengths, outputs, reportsLayers, callback)");
  }
  if (handle->encoder == NULL || handle->events == NULL || handle->callback != NULL || key_count != sequences ||
      sequences > PN_MAX_TOKENS || output_count > MAX_OUTPUTS) {
    return status_value(env, PN_BAD_ARGUMENT);
  }
  float **outputs = malloc((output_count + 1) * sizeof *outputs);
  if (outputs == NULL) return status_value(env, PN_NO_MEMORY);
  pn_status status = PN_OK;
  for (uint32_t i = 0; i < output_count && status == PN_OK; i++) {
    napi_value output;
    void *data = NULL;
    size_t length;
    if (napi_get_element(env, args[4], i, &output) != napi_ok || !array_of(env, output, napi_float32_array, &data, &length) ||
        length != input_length) {
      status = PN_BAD_ARGUMENT;
    }
    outputs[i] = data;
  }
  const pn_batch batch = {
      .sequences = (int)sequences,
      .lengths = lengths,
      .key_lengths = key_lengths,
      .input = input,
      .input_length = input_length,
      .outputs = outputs,
      .output_count = output_count,
      .on_layer = reports ? on_layer : NULL,
      .on_done = on_done,
      .context = handle,
  };
  // Threads write into the outputs: neither they nor the encoder may be collected meanwhile.
  napi_value kept;
  if (status == PN_OK && (napi_create_array_with_length(env, 2, &kept) != napi_ok || napi_set_element(env, kept, 0, args[0]) != napi_ok ||
                          napi_set_element(env, kept, 1, args[4]) != napi_ok ||
                          napi_create_reference(env, kept, 1, &handle->kept) != napi_ok ||
                          napi_create_reference(env, args[6], 1, &handle->callback) != napi_ok)) {
    status = PN_NO_MEMORY;
  }
  if (status == PN_OK) {
    napi_ref_threadsafe_function(env, handle->events);
    status = pn_pass_begin(handle->encoder, &batch);
    account(handle);
    if (status != PN_OK) napi_unref_threadsafe_function(env, handle->events);
  }
  free(outputs);
  if (status != PN_OK) {
    if (handle->callback != NULL) napi_delete_reference(env, handle->callback);
    if (handle->kept != NULL) napi_delete_reference(env, handle->kept);
    handle->callback = handle->kept = NULL;
  }
  return status_value(env, status);
}

// abort(encoder)
static napi_value abort_pass(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL) return type_error(env, "abort(encoder)");
  if (handle->encoder != NULL) pn_pass_abort(handle->encoder);
  return NULL;
}

// free(handle): what it holds; not while a pass computes. Gives a status.
static napi_value free_it(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  pn_handle *handle = handle_of(env, args[0]);
  if (handle == NULL) return type_error(env, "free(handle)");
  if (handle->callback != NULL) return status_value(env, PN_BAD_ARGUMENT);
  free_handle(handle);
  return status_value(env, PN_OK);
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"available", available}, {"emulated", emulated},   {"probe", probe},           {"linear", linear},
      {"row", row},             {"rows", rows},           {"endLinear", end_linear},  {"floatLinear", float_linear},
      {"apply", apply},         {"encoder", encoder},     {"addLinear", add_linear},  {"addNorm", add_norm},
      {"start", start},         {"bytes", bytes},         {"pass", pass},             {"abort", abort_pass},
      {"free", free_it},        {"linearBytes", linear_bytes},
  };
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok) {
      return NULL;
    }
  }
  return exports;
}
