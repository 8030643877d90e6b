// Layer norm and GELU, for the instruction set of the including file.
#pragma once

#include "worker/kernels/simd.h"

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

// GELU x (1 + erf(x / sqrt 2)) / 2 = max(x, 0) - g(|x|) with g(a) = a (1 - erf(a / sqrt 2)) / 2, a bump that is gone at
// 5.6. With 16 lanes a table of polynomials fits a register for each power.
#if TRADEWIND_SIMD_WIDTH == 16
// g around (0, 1, ... 15) / 2.75, by powers of the distance in such intervals: absolute error below 6e-8.
alignas(64) constexpr float bump[6][16] = {
    {0.0F, 0.130205363F, 0.169839606F, 0.150170669F, 0.106032833F, 0.0627603158F, 0.0317704938F, 0.0138899796F,
     0.00527245598F, 0.00174297579F, 0.000502752722F, 0.000126685132F, 2.79095075e-05F, 5.37862343e-06F,
     9.07086758e-07F, 1.33907392e-07F},
    {0.181818157F, 0.0808276609F, 0.0039319396F, -0.0372287445F, -0.0467549637F, -0.0379573777F, -0.023993833F,
     -0.0124825062F, -0.00547374319F, -0.00204855856F, -0.000659100246F, -0.000183145341F, -4.40889016e-05F,
     -9.21513765e-06F, -1.67497569e-06F, -2.65077659e-07F},
    {-0.0527521186F, -0.0461125895F, -0.0297849514F, -0.0117828948F, 0.00105915882F, 0.00659534428F, 0.00673738075F,
     0.0046288427F, 0.002477278F, 0.00108509627F, 0.000398060889F, 0.000123863894F, 3.29501781e-05F, 7.53264203e-06F,
     1.48523895e-06F, 2.53256587e-07F},
    {-4.94680853e-06F, 0.00420887722F, 0.00619528489F, 0.00540528074F, 0.003042456F, 0.000772814616F, -0.000490765146F,
     -0.000790487044F, -0.00060319656F, -0.00033162054F, -0.000144192629F, -5.14803287e-05F, -1.53852197e-05F,
     -3.89296747e-06F, -8.40198652e-07F, -1.55462573e-07F},
    {0.00118173147F, 0.000835985062F, 0.000130493194F, -0.000461445161F, -0.00063454092F, -0.000455978501F,
     -0.000180483141F, 5.49654351e-06F, 6.83001417e-05F, 5.98658335e-05F, 3.38344253e-05F, 1.45585373e-05F,
     5.04392347e-06F, 1.44499245e-06F, 3.47506329e-07F, 7.08280083e-08F},
    {-3.42059175e-05F, -0.00011827753F, -0.000146150429F, -8.02585491e-05F, 8.07325978e-06F, 5.42384842e-05F,
     4.97585279e-05F, 2.38656521e-05F, 3.22466303e-06F, -4.79788196e-06F, -4.88258593e-06F, -2.7857659e-06F,
     -1.16522074e-06F, -3.8537533e-07F, -1.04220838e-07F, -2.34753799e-08F},
};
constexpr float bump_scale = 2.75F, bump_end = 15.49F / bump_scale;

TRADEWIND_INLINE Vec gelu(Vec x) {
  const Vec magnitude = absolute(x);
  const Vec t = min(magnitude, splat(bump_end)) * bump_scale;
  const Vec shifted = t + 12582912.0F;  // the nearest whole number is in its lowest bits
  const Int interval = reinterpret_cast<Int>(shifted);
  const Vec r = t - (shifted - 12582912.0F);
  Vec p = looked_up(bump[5], interval);
  for (int power = 4; power >= 0; --power) p = p * r + looked_up(bump[power], interval);
  return 0.5F * (x + magnitude) - p;
}
#else
// 1 - erf by Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
TRADEWIND_INLINE Vec gelu(Vec x) {
  const Vec magnitude = absolute(x);
  const Vec t = 1.0F / (1.0F + (0.3275911F * 0.70710678118654752F) * magnitude);
  Vec p = splat(1.061405429F);
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Vec tail = p * t * exponential_below(-0.5F * x * x);
  constexpr float none = 64;  // there the tail is 0, and infinity times that would be no number
  return 0.5F * ((x + magnitude) - min(magnitude, splat(none)) * tail);
}
#endif

void gelu(float* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + width <= count; i += width) store(x + i, gelu(load(x + i)));
  for (; i < count; ++i) x[i] = gelu(splat(x[i]))[0];
}

}  // namespace
