// Rotary position embedding, base 10000, halves not interleaved: with angle position * 10000^(-2 i / head_size),
// channel i of the first half and channel i of the second half of every head turn by it (Su et al. 2021, as in
// GPT-NeoX).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tradewind::nn {

// x (rows, heads * head_size) float32 contiguous, in place; row r has position `first` + r.
void rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size);

}  // namespace tradewind::nn
