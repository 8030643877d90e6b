// Stored element types and what of CUDA's syntax the shared arithmetic needs, for nvcc and for a host compiler alike.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#include <cuda_fp16.h>
#define TRADEWIND_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define TRADEWIND_HOST_DEVICE inline
#endif

namespace tradewind::cuda {

struct Bf16 {
  std::uint16_t bits;
};
struct F16 {
  std::uint16_t bits;
};

TRADEWIND_HOST_DEVICE float float_from_bits(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

TRADEWIND_HOST_DEVICE float widen(float value) { return value; }

TRADEWIND_HOST_DEVICE float widen(Bf16 value) { return float_from_bits(static_cast<std::uint32_t>(value.bits) << 16); }

TRADEWIND_HOST_DEVICE float widen(F16 value) {
#ifdef __CUDA_ARCH__
  return __half2float(__ushort_as_half(value.bits));
#else
  const std::uint32_t sign = (value.bits & 0x8000U) << 16, magnitude = value.bits & 0x7fffU;
  if (magnitude >= 0x7c00U) return float_from_bits(sign | 0x7f800000U | (magnitude & 0x3ffU) << 13);  // inf, NaN
  if (magnitude < 0x400U) {  // subnormal: a multiple of 2^-24
    const float small = static_cast<float>(magnitude) * 0x1p-24F;
    return sign != 0 ? -small : small;
  }
  return float_from_bits(sign | ((magnitude << 13) + (112U << 23)));
#endif
}

}  // namespace tradewind::cuda
