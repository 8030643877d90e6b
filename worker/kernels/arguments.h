// What the kernels of the model are asked for: plain pointers and sizes, the same for the CPU's kernels (kernels.h) and
// the CUDA library's (worker/cuda). Depends on nothing.
#pragma once

#include <cstdint>

namespace tradewind::kernels {

enum class Element { f32, bf16, f16 };

// Attention over the edges of each destination, edge projections folded: with a the attributes of an edge, e = W a + b,
// alpha = softmax over a destination's edges of scale * q . (k + e), out = sum alpha (v + e); 0 without edges.
// q . b is the same for every edge of a destination and drops out of the softmax.
struct GraphAttention {
  const float* query = nullptr;  // (rows, heads * head_size)
  const void* key = nullptr;     // (sources, heads * head_size) of `element`
  const void* value = nullptr;
  Element element = Element::f32;
  const std::int64_t* first_edge = nullptr;  // (rows + 1), into source and attributes
  const std::int32_t* source = nullptr;
  const float* attributes = nullptr;  // (edges, attribute_size), columns padded with 0
  const float* weight = nullptr;      // W: (heads * head_size, attribute_size)
  const float* weight_t = nullptr;    // its transpose: (attribute_size, heads * head_size)
  const float* bias = nullptr;        // b: (heads * head_size), may be null
  float* out = nullptr;               // (rows, heads * head_size)
  std::int64_t heads = 0, head_size = 0;
  std::int64_t attribute_size = 0;  // a multiple of attribute_padding
  float scale = 1;
};
constexpr std::int64_t attribute_padding = 8;
// The largest head and number of attributes that the CUDA kernel is compiled for.
constexpr std::int64_t cuda_head_size_limit = 256, cuda_attribute_limit = 128;

// Attention of queries to the keys whose position differs by at most `window` (every key when negative). Scores are
// s = scale * q . k; then softcap * tanh(s / softcap) when softcap > 0; then - slope * |i - j| when slopes are given.
// Keys and values are packed by `pack`.
struct WindowAttention {
  const float* query = nullptr;  // (queries, heads * head_size)
  const float* keys = nullptr;
  const float* values = nullptr;
  float* out = nullptr;  // (queries, heads * head_size), may be `query`
  std::int64_t queries = 0, keys_count = 0, heads = 0, head_size = 0;
  std::int64_t query_position = 0;  // of query 0 when key 0 has position 0
  std::int64_t window = -1;
  float scale = 1, softcap = 0;
  const float* slopes = nullptr;  // (heads)
};
constexpr std::int64_t query_block = 48;

// out = x W^T + bias, or out += that with `add`; then GELU of it with `gelu`.
struct Product {
  const float* x = nullptr;       // (rows, inputs)
  const float* weight = nullptr;  // W: (outputs, inputs), packed by `pack_weight`
  const float* bias = nullptr;    // (outputs), may be null
  float* out = nullptr;           // (rows, outputs), not x
  std::int64_t rows = 0, inputs = 0, outputs = 0;
  bool add = false, gelu = false;
};

// Row i of out is row index[i] of the table, or row i without an index, times `multiply` plus `add`, column by column.
struct ScaledRows {
  const float* table = nullptr;  // (.., columns)
  const std::int64_t* index = nullptr;
  const float* multiply = nullptr;  // (columns), null: as it is
  const float* add = nullptr;       // (columns), null together with multiply
  float* out = nullptr;             // rows `out_stride` apart, not of the table
  std::int64_t rows = 0, columns = 0, out_stride = 0;
};

// Row i of out is row i of start, plus row index[i] of the table, plus row other_index[i] of `other` if there is one;
// then GELU of it with `gelu`.
struct GatheredSum {
  const float* start = nullptr;  // (rows, columns), may be out
  const float* table = nullptr;  // (.., columns)
  const float* other = nullptr;  // (.., columns), may be null
  const std::int32_t* index = nullptr;
  const std::int32_t* other_index = nullptr;
  float* out = nullptr;
  std::int64_t rows = 0, columns = 0;
  bool gelu = false;
};

// Row i of out is the sum over e in [first[i], first[i + 1]), in that order, of weight[e] times row index[e] of a table
// whose first `own_rows` rows are those of `own` and whose others are those of `other`; 0 for an empty one. index and
// weight point at element first[0].
struct WeightedRows {
  const float* own = nullptr;    // (own_rows, columns)
  const float* other = nullptr;  // (.., columns)
  const std::int64_t* first = nullptr;
  const std::int32_t* index = nullptr;
  const float* weight = nullptr;
  float* out = nullptr;  // (rows, columns)
  std::int64_t own_rows = 0, rows = 0, columns = 0;
};

}  // namespace tradewind::kernels
