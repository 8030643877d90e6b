// A warp as one thread holds it: 32 floats. Runs on a CPU what graph_attention_row.h is to run on a GPU, lane for lane
// and in the same order of additions. For tests; slow.
#pragma once

#include <cmath>

#include "worker/cuda/graph_attention_row.h"

namespace tradewind::cuda {

struct HostWarp {
  struct Lanes {
    float values[warp_size];
    friend Lanes operator+(const Lanes& a, const Lanes& b) {
      Lanes sum;
      for (int i = 0; i < warp_size; ++i) sum.values[i] = a.values[i] + b.values[i];
      return sum;
    }
    friend Lanes operator*(const Lanes& a, const Lanes& b) {
      Lanes product;
      for (int i = 0; i < warp_size; ++i) product.values[i] = a.values[i] * b.values[i];
      return product;
    }
  };
  static Lanes splat(float value) {
    Lanes all;
    for (float& lane : all.values) lane = value;
    return all;
  }
  static Lanes zero() { return splat(0); }
  template <class T>
  static Lanes load(const T* p, std::int64_t count) {
    Lanes loaded = zero();
    for (int i = 0; i < warp_size && i < count; ++i) loaded.values[i] = widen(p[i]);
    return loaded;
  }
  static void store(float* p, std::int64_t count, const Lanes& lanes) {
    for (int i = 0; i < warp_size && i < count; ++i) p[i] = lanes.values[i];
  }
  // As a GPU adds them: each lane with the one whose number differs in one bit.
  static float sum(Lanes lanes) {
    for (int bit = warp_size / 2; bit > 0; bit /= 2) {
      Lanes other;
      for (int i = 0; i < warp_size; ++i) other.values[i] = lanes.values[i ^ bit];
      lanes = lanes + other;
    }
    return lanes.values[0];
  }
  static float at(const Lanes& lanes, int lane) { return lanes.values[lane]; }
  static Lanes with(Lanes lanes, int lane, float value) {
    lanes.values[lane] = value;
    return lanes;
  }
  static float exponential(float x) { return std::exp(x); }
};

// Rows [begin, end) by the arithmetic of the CUDA kernel; pointers are the host's.
inline void graph_attention_on_host(const kernels::GraphAttention& arguments, std::int64_t begin, std::int64_t end) {
  with_instance(arguments, [&]<class T, int channel_parts, int attribute_parts>() {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t head = 0; head < arguments.heads; ++head) {
        GraphAttentionHead<HostWarp, T, channel_parts, attribute_parts>(arguments, row, head).run();
      }
    }
  });
}

}  // namespace tradewind::cuda
