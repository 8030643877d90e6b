// What layers ask of the device that their tensors are on, besides products and plain arithmetic, which ATen dispatches
// by itself. All but graph attention stand here as ATen operations, for any device (device_operations.h adds the kernel
// for it); the CPU has kernels of its own, over threads (worker/kernels). Layers find theirs in the workspace. All
// tensors of a call are contiguous and on one device, floating values float32 unless said otherwise. Immutable;
// thread-safe as long as outputs are not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "worker/kernels/arguments.h"
#include "worker/preprocess/step.h"

namespace tradewind::nn {

class Workspace;

// Rows of a table by number; index (n) int32.
struct PickedRows {
  at::Tensor table, index;
};

// Entries of a sparse matrix, row by row: row r has entries [first[r], first[r + 1]) less first[0] of column and
// weight.
struct SparseEntries {
  at::Tensor first, column, weight;  // (rows + 1) int64, (entries) int32, (entries) float32
};

// What is done to q . k before the softmax; see AttentionDescription.
struct Scores {
  std::int64_t window = -1;  // negative: every key is seen
  double softcap = 0;
  at::Tensor slopes;  // (heads), undefined without ALiBi
};

// Keys and values of `rows` rows, in whatever form the device's attention reads them.
struct KeyMemory {
  std::int64_t rows = 0, heads = 0, head_size = 0;
  at::Tensor keys, values;
};

class Operations {
 public:
  virtual ~Operations() = default;

  // (x - mean) / sqrt(variance + epsilon) * weight + bias over every `size` values; weight and bias may be undefined;
  // out may be x.
  virtual void layer_norm(const at::Tensor& x, at::Tensor out, std::int64_t size, const at::Tensor& weight,
                          const at::Tensor& bias, double epsilon) const;
  // x (1 + erf(x / sqrt 2)) / 2, in place.
  virtual void gelu(at::Tensor& x) const;
  // Rotary position embedding, base 10000, halves not interleaved: with angle position * 10000^(-2 i / head_size),
  // channel i of the first half and channel i of the second half of every head turn by it (Su et al. 2021, as in
  // GPT-NeoX). x (rows, heads * head_size), in place; row r has position first + r.
  virtual void rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) const;

  // out (n, columns) = table[index]; index (n) int64.
  virtual void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) const;
  // out (n, columns) = start + first.table[first.index] + second.table[second.index], then GELU of it with `gelu`;
  // second may be undefined; out may be start.
  virtual void sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second, bool gelu,
                                 at::Tensor out) const;
  // out (segments, columns): the sums of rows [first[s], first[s + 1]) of x, whose row 0 is row first[0]; first
  // (segments + 1) int64.
  virtual void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out) const;
  // out (rows, columns) = the matrix times a table whose first rows are `own` and whose others are `halo`.
  virtual void sum_weighted_rows(const SparseEntries& matrix, const at::Tensor& own, const at::Tensor& halo,
                                 at::Tensor out) const;
  // Columns [column, column + columns of the table) of out (n, ..) become rows of the table, by number (int64) or,
  // where `index` is undefined, from row `first` on; scaled when `affine` is given.
  virtual void copy_rows(const at::Tensor& table, const at::Tensor& index, std::int64_t first,
                         const preprocess::Affine* affine, at::Tensor& out, std::int64_t column) const;
  // out[:, to[i]] += from[:, from_columns[i]] scaled; from (n, ..), out (n, ..), columns int64.
  virtual void add_scaled_columns(const at::Tensor& from, const preprocess::Affine& affine,
                                  const at::Tensor& from_columns, const at::Tensor& to_columns, at::Tensor& out) const;

  // Destination rows [0, rows); pointers of the device.
  virtual void graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows) const = 0;
  // Memory of the workspace for keys and values; `type` where the device keeps them in that of the precision.
  virtual KeyMemory take_keys(std::int64_t rows, std::int64_t heads, std::int64_t head_size, at::ScalarType type,
                              Workspace& workspace) const;
  // key, value (n, heads * head_size) become rows [first, first + n).
  virtual void add_keys(const KeyMemory& memory, const at::Tensor& key, const at::Tensor& value,
                        std::int64_t first) const;
  // query (n, heads * head_size) becomes the attention's result; 0 for a query that sees no key. position: of its first
  // row, counted from key 0.
  virtual void attend(const KeyMemory& memory, at::Tensor query, std::int64_t position, const Scores& scores) const;

  // Whether small weights are packed for products of our own, which cost less than a library call, and such a product.
  virtual bool packs_weights() const { return false; }
  virtual void packed_product(const kernels::Product& arguments) const;
};

// On the CPU, by the kernels of worker/kernels.
const Operations& cpu_operations();

}  // namespace tradewind::nn
