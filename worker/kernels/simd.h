// Vectors of floats in the compiler's own extension, as wide as the file including this is compiled for. Everything has
// internal linkage and no standard template is used: the same code is compiled for several instruction sets, and the
// linker must never mix them.
#pragma once

#if defined(__clang__) && defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <cstdint>

#ifndef TRADEWIND_SIMD_WIDTH
#error "TRADEWIND_SIMD_WIDTH chooses the instruction set"
#endif

namespace {

constexpr std::int64_t width = TRADEWIND_SIMD_WIDTH;
typedef float Vec __attribute__((vector_size(width * 4)));
typedef std::int32_t Int __attribute__((vector_size(width * 4)));
typedef float LooseVec __attribute__((vector_size(width * 4), aligned(4), may_alias));
// Eight floats whatever the width: for short rows such as edge attributes.
typedef float Vec8 __attribute__((vector_size(32)));
typedef float LooseVec4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef float LooseVec8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::uint16_t Half __attribute__((vector_size(width * 2)));
typedef std::uint16_t LooseHalf __attribute__((vector_size(width * 2), aligned(2), may_alias));
typedef std::uint32_t Word __attribute__((vector_size(width * 4)));

#define TRADEWIND_INLINE inline __attribute__((always_inline))

struct Bf16 {
  std::uint16_t bits;
};
struct F16 {
  std::uint16_t bits;
};

TRADEWIND_INLINE Vec load(const float* p) { return *reinterpret_cast<const LooseVec*>(p); }
TRADEWIND_INLINE void store(float* p, Vec v) { *reinterpret_cast<LooseVec*>(p) = v; }
TRADEWIND_INLINE Vec splat(float v) { return v - Vec{}; }  // v - 0 is v: the compiler leaves one broadcast
TRADEWIND_INLINE Vec8 load8(const float* p) { return *reinterpret_cast<const LooseVec8*>(p); }
TRADEWIND_INLINE void store8(float* p, Vec8 v) { *reinterpret_cast<LooseVec8*>(p) = v; }

TRADEWIND_INLINE Word widen(const void* p) { return __builtin_convertvector(*static_cast<const LooseHalf*>(p), Word); }
TRADEWIND_INLINE Vec load(const Bf16* p) { return reinterpret_cast<Vec>(widen(p) << 16); }
// Exponent and mantissa moved into place and scaled by 2^112: right for normal and subnormal halves; infinities and NaN
// get the largest exponent back.
TRADEWIND_INLINE Vec load(const F16* p) {
  const Word h = widen(p);
  const Word magnitude = (h & 0x7fffu) << 13;
  const Vec finite = reinterpret_cast<Vec>(magnitude) * 0x1p112f;
  const Word special = reinterpret_cast<Word>(magnitude >= 0x0f800000u) & 0x7f800000u;
  return reinterpret_cast<Vec>(reinterpret_cast<Word>(finite) | special | ((h & 0x8000u) << 16));
}
TRADEWIND_INLINE float scalar(float v) { return v; }
TRADEWIND_INLINE float scalar(Bf16 v) { return __builtin_bit_cast(float, static_cast<std::uint32_t>(v.bits) << 16); }
TRADEWIND_INLINE float scalar(F16 v) {
  const std::uint32_t magnitude = (v.bits & 0x7fffu) << 13;
  const float finite = __builtin_bit_cast(float, magnitude) * 0x1p112f;
  const std::uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0u;
  return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, finite) | special | ((v.bits & 0x8000u) << 16));
}

TRADEWIND_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }
TRADEWIND_INLINE Vec min(Vec a, Vec b) { return a < b ? a : b; }
TRADEWIND_INLINE Vec absolute(Vec v) { return reinterpret_cast<Vec>(reinterpret_cast<Int>(v) & 0x7fffffff); }
TRADEWIND_INLINE float max(float a, float b) { return a > b ? a : b; }

template <int... lane>
struct Lanes {};
#if TRADEWIND_SIMD_WIDTH == 4
typedef Lanes<0, 1, 2, 3> AllLanes;
#elif TRADEWIND_SIMD_WIDTH == 8
typedef Lanes<0, 1, 2, 3, 4, 5, 6, 7> AllLanes;
#else
typedef Lanes<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15> AllLanes;
#endif

// v plus its lanes `distance` (a power of 2) apart.
template <int distance, int... lane>
TRADEWIND_INLINE Vec folded(Vec v, Lanes<lane...>) {
  return v + __builtin_shufflevector(v, v, ((lane ^ distance) % width)...);
}
// In every lane the sum of its group of `size` lanes, a power of 2.
template <int size>
TRADEWIND_INLINE Vec group_sum(Vec v) {
  if (size > 8) v = folded<8>(v, AllLanes{});
  if (size > 4) v = folded<4>(v, AllLanes{});
  if (size > 2) v = folded<2>(v, AllLanes{});
  return folded<1>(v, AllLanes{});
}
TRADEWIND_INLINE float sum(Vec v) { return group_sum<width>(v)[0]; }
#if TRADEWIND_SIMD_WIDTH == 16
// In every lane the one of the table's 16 values that the lowest bits of its index name.
TRADEWIND_INLINE Vec looked_up(const float* table, Int index) {
#if !defined(__clang__)
  return __builtin_shuffle(load(table), index);
#elif defined(__AVX512F__)
  return reinterpret_cast<Vec>(_mm512_permutexvar_ps(reinterpret_cast<__m512i>(index), _mm512_load_ps(table)));
#else
  Vec found{};
  for (int i = 0; i < width; ++i) found[i] = table[index[i] & (width - 1)];
  return found;
#endif
}
#endif
// In every lane the lane `which` of its group of `size` lanes.
template <int size, int which, int... lane>
TRADEWIND_INLINE Vec group_lane(Vec v, Lanes<lane...>) {
  return __builtin_shufflevector(v, v, (lane / size * size + which)...);
}
// The `size` floats at p (4 or 8, fewer than the width) in every group of so many lanes. By doubling: the compiler
// sends any other widening through memory.
template <int size>
TRADEWIND_INLINE Vec repeated(const float* p) {
#if TRADEWIND_SIMD_WIDTH == 4
  return load(p);
#else
  const LooseVec4 four = *reinterpret_cast<const LooseVec4*>(p);
  const Vec8 eight = size == 4 ? __builtin_shufflevector(four, four, 0, 1, 2, 3, 4, 5, 6, 7) : load8(p);
#if TRADEWIND_SIMD_WIDTH == 8
  return eight;
#else
  return __builtin_shufflevector(eight, eight, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
#endif
}
TRADEWIND_INLINE float sum8(Vec8 v) { return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7])); }
TRADEWIND_INLINE float largest(Vec v) {
  float top = v[0];
  for (int i = 1; i < width; ++i) top = v[i] > top ? v[i] : top;
  return top;
}

// e^x to about 1 unit in the last place: x = n ln 2 + r, polynomial of Cephes expf. Below -87 it is 0 for our purposes
// (the smallest normal float); arguments are never above 88 here.
TRADEWIND_INLINE Vec exponential_below(Vec x) {  // x below 88
  x = max(x, splat(-87.0F));
  const Vec shifted = x * 1.44269504088896341F + 12582912.0F;
  const Vec n = shifted - 12582912.0F;
  const Vec r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  Vec p = splat(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const Int power = (reinterpret_cast<Int>(shifted) - 0x4b400000 + 127) << 23;
  return p * reinterpret_cast<Vec>(power);
}
TRADEWIND_INLINE Vec exponential(Vec x) { return exponential_below(min(x, splat(88.0F))); }
TRADEWIND_INLINE float exponential(float x) { return exponential(splat(x))[0]; }

// tanh x = 1 - 2 / (e^2x + 1), with the sign taken out so that large arguments stay finite.
TRADEWIND_INLINE Vec hyperbolic_tangent(Vec x) {
  const Vec magnitude = min(x < 0.0F ? -x : x, splat(20.0F));
  const Vec value = 1.0F - 2.0F / (exponential(2.0F * magnitude) + 1.0F);
  return x < 0.0F ? -value : value;
}

}  // namespace
