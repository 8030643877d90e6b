// The inner loops of the model on a CPU: plain pointers in, plain pointers out, f32 arithmetic. Every kernel is
// compiled once per instruction set and chosen when the program starts. Serial: callers split the rows over threads. No
// kernel allocates; scratch comes from the caller. Thread-safe as long as outputs and scratch are not shared.
#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/kernels/arguments.h"

namespace tradewind::kernels {

struct KernelSet {
  const char* name;
  // Rows [begin, end); scratch of graph_attention_scratch(arguments) floats.
  void (*graph_attention)(const GraphAttention&, std::int64_t begin, std::int64_t end, float* scratch);
  std::size_t (*graph_attention_scratch)(const GraphAttention&);
  // Query block `block` (query_block rows) of head `head`.
  void (*window_attention)(const WindowAttention&, std::int64_t head, std::int64_t block, float* scratch);
  std::size_t (*window_attention_scratch)(const WindowAttention&);
  // Floats needed to hold `rows` packed keys (or values) of all heads.
  std::size_t (*packed_keys_size)(std::int64_t rows, std::int64_t heads, std::int64_t head_size);
  std::size_t (*packed_values_size)(std::int64_t rows, std::int64_t heads, std::int64_t head_size);
  // Puts rows [first, first + count) of head `head` into the packed form of `rows` rows; key and value point at row
  // `first` of (.., heads * head_size).
  void (*pack)(const float* key, const float* value, float* keys, float* values, std::int64_t rows, std::int64_t first,
               std::int64_t count, std::int64_t head, std::int64_t heads, std::int64_t head_size);
  void (*product)(const Product&);
  // Floats of a packed weight, and its packing; rows of `weight` are `stride` apart.
  std::size_t (*packed_weight_size)(std::int64_t inputs, std::int64_t outputs);
  void (*pack_weight)(const float* weight, std::int64_t stride, std::int64_t inputs, std::int64_t outputs,
                      float* packed);
  // (x - mean) / sqrt(variance + epsilon) * weight + bias over `size` columns; weight and bias may be null.
  void (*layer_norm)(const float* x, float* out, std::int64_t rows, std::int64_t size, const float* weight,
                     const float* bias, float epsilon);
  // x * (1 + erf(x / sqrt(2))) / 2, in place.
  void (*gelu)(float* x, std::int64_t count);
  // Row i of out (rows, columns) is row index[i] of the table.
  void (*gather)(const float* table, const std::int64_t* index, std::int64_t rows, std::int64_t columns, float* out);
  void (*scaled_rows)(const ScaledRows&);
  void (*gathered_sum)(const GatheredSum&);
  // Row s of out (segments, columns) is the sum of rows [first[s], first[s + 1]) of x, whose row 0 is row first[0]; 0
  // for an empty one.
  void (*segment_sum)(const float* x, const std::int64_t* first, std::int64_t segments, std::int64_t columns,
                      float* out);
  void (*weighted_sum)(const WeightedRows&);
};

// The best set this machine runs. `kernel_sets()` lists every one it can run, for tests.
const KernelSet& best();
struct KernelSets {
  const KernelSet* sets[4];
  int count;
};
KernelSets kernel_sets();

}  // namespace tradewind::kernels
