// Launches the fused graph attention on the current device.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "worker/kernels/arguments.h"

namespace tradewind::cuda {

// Destination rows [0, rows); every pointer is the device's. Returns when the kernel is queued on `stream`.
cudaError_t launch_graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows, cudaStream_t stream);

}  // namespace tradewind::cuda
