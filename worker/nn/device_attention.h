// Attention of a chunk of queries to keys and values as they lie in memory, for devices other than the CPU. Stateless,
// thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tradewind::nn {

// Scores and windows as kernels.h's WindowAttention has them.
struct DeviceAttention {
  std::int64_t heads = 0, head_size = 0;
  std::int64_t window = -1;  // negative: every key
  double scale = 1, softcap = 0;
  at::Tensor slopes;  // (heads) float32, may be undefined
};

// query (n, heads * head_size) float32; keys, values (m, heads * head_size), all of one type; query 0 has the position
// of key `position`. The result goes to out (n, heads * head_size) float32, which may be query.
// On CUDA, float16 and bfloat16 go through LibTorch's flash attention, unless scores are capped or sloped or the heads
// do not suit it; everything else goes by blocks of queries against the keys that these see, in float32, so that no
// matrix of tokens by tokens is made.
void attend(const DeviceAttention& attention, const at::Tensor& query, std::int64_t position, const at::Tensor& keys,
            const at::Tensor& values, at::Tensor out);

}  // namespace tradewind::nn
