#include <math.h>
#include <string.h>
#include "internal.h"

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Ties to even; `x` is in 0..255.
static int32_t nearest(double x) { return (int32_t)__builtin_rint(x); }

static bool choose_onnxruntime(float low, float high, pn_quantization *result) {
  const float scale = low == high ? 1.0f : (high - low) / 255.0f;
  if (isinf(scale)) return false;
  const float zero = -(low / scale);
  result->zero = zero < 255.0f ? nearest(zero) : 255;
  result->scale = scale;
  result->inverse = 1.0f / scale;
  return true;
}

// activationQuantization of packages/quant, line by line.
bool pn_choose(pn_profile profile, int32_t high_bits, uint32_t low_bits, pn_quantization *result) {
  if (!pn_range_finite((pn_range){high_bits, low_bits})) return false;
  if (profile == PN_ONNXRUNTIME) return choose_onnxruntime(float_of(low_bits), float_of((uint32_t)high_bits), result);
  const double qmax = profile == PN_FBGEMM ? 127 : 255;
  const float threshold = 6.1e-5f;
  double low = float_of(low_bits);
  double high = float_of((uint32_t)high_bits);
  double scale = (high - low) / qmax;
  if ((float)scale == 0.0f || isinf((float)(1.0 / (double)(float)scale))) scale = 0.1;
  if (scale < (double)threshold) {
    const double amplifier = (float)((double)threshold / (double)(float)scale);
    scale = threshold;
    if (low == 0) high = (float)((double)threshold * qmax);
    else if (high == 0) low = -(double)(float)((double)threshold * qmax);
    else {
      low = (float)(low * amplifier);
      high = (float)(high * amplifier);
    }
  }
  const double error_from_low = -fabs(low / scale);
  const double error_from_high = qmax - fabs(high / scale);
  const double exact = error_from_low < error_from_high ? -low / scale : qmax - high / scale;
  result->zero = nearest(fmax(0, fmin(exact, qmax)));
  result->scale = (float)scale;
  result->inverse = (float)(1.0 / (double)result->scale);
  return true;
}
