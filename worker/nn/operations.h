// What layers ask of the device that their tensors are on, besides products and plain arithmetic, which ATen dispatches
// by itself. One table for the CPU (the kernels of kernels/, over threads) and one made of ATen operations and the CUDA
// kernels, for any other device. All tensors of a call are contiguous and on one device, floating values float32 unless
// said otherwise. Stateless; thread-safe as long as outputs are not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "worker/nn/kernels/kernels.h"
#include "worker/nn/rows.h"

namespace tradewind::nn {

struct Operations {
  // (x - mean) / sqrt(variance + epsilon) * weight + bias over every `size` values; weight and bias may be undefined;
  // out may be x.
  void (*layer_norm)(const at::Tensor& x, at::Tensor& out, std::int64_t size, const at::Tensor& weight,
                     const at::Tensor& bias, double epsilon);
  // x (1 + erf(x / sqrt 2)) / 2, in place.
  void (*gelu)(at::Tensor& x);
  // x (rows, heads * head_size), in place; row r has position first + r. See rotary.h.
  void (*rotate)(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size);
  // See rows.h.
  void (*gather_rows)(const at::Tensor& table, const at::Tensor& index, at::Tensor& out);
  void (*sum_gathered_rows)(const at::Tensor& start, const PickedRows& first, const PickedRows& second, bool gelu,
                            at::Tensor& out);
  void (*sum_segments)(const at::Tensor& x, const at::Tensor& first, at::Tensor& out);
  // Destination rows [0, rows); pointers of the device.
  void (*graph_attention)(const kernels::GraphAttention& arguments, std::int64_t rows);
};

// The table for x's device.
const Operations& operations(const at::Tensor& x);

// These kernels over threads.
void product_on_cpu(const kernels::Product& arguments);
void scale_rows_on_cpu(const kernels::ScaledRows& arguments);

// While one lives, CPU tensors of this process go the way of other devices: their ATen operations, and the CUDA
// kernel's arithmetic as the CPU runs it. For tests.
class DevicePathOnCpu {
 public:
  DevicePathOnCpu();
  ~DevicePathOnCpu();
  DevicePathOnCpu(const DevicePathOnCpu&) = delete;
  DevicePathOnCpu& operator=(const DevicePathOnCpu&) = delete;
};

// Whether the CPU's own kernels serve x: not with the guard above.
bool on_cpu_kernels(const at::Tensor& x);

// The two tables.
const Operations& cpu_operations();
const Operations& device_operations();

}  // namespace tradewind::nn
