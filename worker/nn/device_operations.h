// Operations on any device that ATen knows, with a graph attention kernel that is given.
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

  void graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows) const override {
    launch_(arguments, rows);
  }

 private:
  GraphAttentionLaunch launch_;
};

}  // namespace tradewind::nn
