// Layer norm and GELU, for the instruction set of the including file.
#pragma once

#include "worker/nn/kernels/simd.h"

namespace {

TRADEWIND_INLINE float square_root(float x) { return __builtin_sqrtf(x); }

// 1 / sqrt(x) for x > 0, to rounding: a first guess from the exponent's bits, then Newton's steps.
TRADEWIND_INLINE Vec reciprocal_root(Vec x) {
  Vec y = reinterpret_cast<Vec>(0x5f3759df - (reinterpret_cast<Int>(x) >> 1));
  for (int step = 0; step < 3; ++step) y *= 1.5F - (0.5F * x) * (y * y);
  return y;
}

// Rows of one vector or a few, or several rows of `group` values in each vector.
template <int vectors, int group>
TRADEWIND_INLINE void norm_vectors(const float* x, float* out, std::int64_t count, const float* weight,
                                   const float* bias, float epsilon) {
  const auto of_column = [](const float* p, int v) { return group < width ? repeated<group>(p) : load(p + v * width); };
  Vec scale[vectors], shift[vectors];
  for (int v = 0; v < vectors; ++v) {
    scale[v] = weight ? of_column(weight, v) : splat(1.0F);
    shift[v] = bias ? of_column(bias, v) : Vec{};
  }
  for (std::int64_t i = 0; i < count; ++i, x += vectors * width, out += vectors * width) {
    Vec values[vectors], sums{};
    for (int v = 0; v < vectors; ++v) sums += values[v] = load(x + v * width);
    const Vec mean = group_sum<group>(sums) * (1.0F / (vectors * group));
    sums = Vec{};
    for (int v = 0; v < vectors; ++v) {
      values[v] -= mean;
      sums += values[v] * values[v];
    }
    const Vec factor = reciprocal_root(group_sum<group>(sums) * (1.0F / (vectors * group)) + epsilon);
    for (int v = 0; v < vectors; ++v) store(out + v * width, values[v] * factor * scale[v] + shift[v]);
  }
}

// How many of the rows were done, as such vectors.
template <int size>
TRADEWIND_INLINE std::int64_t norm_narrow(const float* x, float* out, std::int64_t rows, const float* weight,
                                          const float* bias, float epsilon) {
  constexpr int together = size < width ? width / size : 1;
  if constexpr (size < width) {
    norm_vectors<1, size>(x, out, rows / together, weight, bias, epsilon);
  } else {
    norm_vectors<size / width, width>(x, out, rows, weight, bias, epsilon);
  }
  return rows / together * together;
}

void layer_norm(const float* x, float* out, std::int64_t rows, std::int64_t size, const float* weight,
                const float* bias, float epsilon) {
  std::int64_t done = 0;
  if (size == 4) done = norm_narrow<4>(x, out, rows, weight, bias, epsilon);
  if (size == 8) done = norm_narrow<8>(x, out, rows, weight, bias, epsilon);
  if (size == 16) done = norm_narrow<16>(x, out, rows, weight, bias, epsilon);
  if (size == 32) done = norm_narrow<32>(x, out, rows, weight, bias, epsilon);
  if (size == 64) done = norm_narrow<64>(x, out, rows, weight, bias, epsilon);
  x += done * size;
  out += done * size;
  const std::int64_t whole = size / width * width;
  for (std::int64_t row = done; row < rows; ++row, x += size, out += size) {
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

// x (1 + erf(x / sqrt 2)) / 2 = max(x, 0) - |x| (1 - erf(|x| / sqrt 2)) / 2, with erf by Abramowitz and Stegun 7.1.26:
// absolute error below 1.5e-7.
TRADEWIND_INLINE Vec gelu(Vec x) {
  const Vec magnitude = absolute(x);
  const Vec t = 1.0F / (1.0F + (0.3275911F * 0.70710678118654752F) * magnitude);
  Vec p = splat(1.061405429F);
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Vec tail = p * t * exponential_below(-0.5F * x * x);  // 1 - erf
  constexpr float none = 64;  // there the tail is 0, and infinity times that would be no number
  return 0.5F * ((x + magnitude) - min(magnitude, splat(none)) * tail);
}

void gelu(float* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + width <= count; i += width) store(x + i, gelu(load(x + i)));
  for (; i < count; ++i) x[i] = gelu(splat(x[i]))[0];
}

}  // namespace
