// Operations on any device that ATen knows: its own operations, and a graph attention kernel that is given.
#pragma once

#include <cstdint>
#include <functional>

#include "worker/nn/operations.h"

namespace tradewind::nn {

class DeviceOperations : public Operations {
 public:
  // Queues destination rows [0, rows) on the current stream; throws when that fails.
  using GraphAttentionLaunch = std::function<void(const kernels::GraphAttention& arguments, std::int64_t rows)>;
  explicit DeviceOperations(GraphAttentionLaunch launch) : launch_(std::move(launch)) {}

  void layer_norm(const at::Tensor& x, at::Tensor out, std::int64_t size, const at::Tensor& weight,
                  const at::Tensor& bias, double epsilon) const override;
  void gelu(at::Tensor& x) const override;
  void rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) const override;
  void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) const override;
  void sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second, bool gelu,
                         at::Tensor out) const override;
  void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out) const override;
  void sum_weighted_rows(const SparseEntries& matrix, const at::Tensor& own, const at::Tensor& halo,
                         at::Tensor out) const override;
  void copy_rows(const at::Tensor& table, const at::Tensor& index, std::int64_t first, const preprocess::Affine* affine,
                 at::Tensor& out, std::int64_t column) const override;
  void add_scaled_columns(const at::Tensor& from, const preprocess::Affine& affine, const at::Tensor& from_columns,
                          const at::Tensor& to_columns, at::Tensor& out) const override;
  void graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows) const override;
  KeyMemory take_keys(std::int64_t rows, std::int64_t heads, std::int64_t head_size, at::ScalarType type,
                      Workspace& workspace) const override;
  void add_keys(const KeyMemory& memory, const at::Tensor& key, const at::Tensor& value,
                std::int64_t first) const override;
  void attend(const KeyMemory& memory, at::Tensor query, std::int64_t position, const Scores& scores) const override;

 private:
  GraphAttentionLaunch launch_;
};

}  // namespace tradewind::nn
