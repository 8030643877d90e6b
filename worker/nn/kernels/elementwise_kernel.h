// Layer norm and GELU, for the instruction set of the including file.
#pragma once

#include "worker/nn/kernels/simd.h"

namespace {

TRADEWIND_INLINE float square_root(float x) { return __builtin_sqrtf(x); }

void layer_norm(const float* x, float* out, std::int64_t rows, std::int64_t size, const float* weight,
                const float* bias, float epsilon) {
  for (std::int64_t row = 0; row < rows; ++row, x += size, out += size) {
    const std::int64_t whole = size / width * width;
    Vec sums{};
    float mean = 0, variance = 0;
    for (std::int64_t c = 0; c < whole; c += width) sums += load(x + c);
    for (std::int64_t c = whole; c < size; ++c) mean += x[c];
    mean = (mean + sum(sums)) / static_cast<float>(size);
    sums = Vec{};
    for (std::int64_t c = 0; c < whole; c += width) {
      const Vec d = load(x + c) - mean;
      sums += d * d;
    }
    for (std::int64_t c = whole; c < size; ++c) variance += (x[c] - mean) * (x[c] - mean);
    variance = (variance + sum(sums)) / static_cast<float>(size);
    const float factor = 1.0F / square_root(variance + epsilon);
    for (std::int64_t c = 0; c < whole; c += width) {
      Vec y = (load(x + c) - mean) * factor;
      if (weight) y *= load(weight + c);
      if (bias) y += load(bias + c);
      store(out + c, y);
    }
    for (std::int64_t c = whole; c < size; ++c) {
      const float y = (x[c] - mean) * factor;
      out[c] = (weight ? y * weight[c] : y) + (bias ? bias[c] : 0.0F);
    }
  }
}

// erf by Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
TRADEWIND_INLINE Vec gelu(Vec x) {
  const Vec z = x * 0.70710678118654752F;
  const Vec magnitude = z < 0.0F ? -z : z;
  const Vec t = 1.0F / (1.0F + 0.3275911F * magnitude);
  Vec p = splat(1.061405429F);
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Vec tail = p * t * exponential(-magnitude * magnitude);  // 1 - erf |z|
  return 0.5F * x * (z < 0.0F ? tail : 2.0F - tail);
}

void gelu(float* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + width <= count; i += width) store(x + i, gelu(load(x + i)));
  for (; i < count; ++i) x[i] = gelu(splat(x[i]))[0];
}

}  // namespace
