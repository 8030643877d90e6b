// ATen operations, which run wherever the tensors are, and the CUDA library's kernels. Without that library the tensors
// are a test's, on the CPU, and so is the kernel's arithmetic.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "worker/cuda/host_warp.h"
#include "worker/device/cuda_library.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {
namespace {

std::optional<at::Tensor> when_defined(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

void layer_norm(const at::Tensor& x, at::Tensor& out, std::int64_t size, const at::Tensor& weight,
                const at::Tensor& bias, double epsilon) {
  const at::Tensor rows = x.view({-1, size});
  out.view({-1, size}).copy_(at::layer_norm(rows, {size}, when_defined(weight), when_defined(bias), epsilon));
}

void gelu(at::Tensor& x) { at::gelu_(x); }

void rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) {
  const at::TensorOptions exact = x.options().dtype(at::kDouble);
  const std::int64_t half = head_size / 2;
  const at::Tensor frequency = at::pow(10000.0, at::arange(half, exact) * (-2.0 / static_cast<double>(head_size)));
  const at::Tensor angle = at::outer(at::arange(first, first + x.size(0), exact), frequency).unsqueeze(1);
  const at::Tensor cosine = angle.cos().to(at::kFloat), sine = angle.sin().to(at::kFloat);
  at::Tensor halves = x.view({x.size(0), heads, 2, half});
  at::Tensor left = halves.select(2, 0), right = halves.select(2, 1);
  const at::Tensor turned = left * cosine - right * sine;
  right.mul_(cosine).add_(left * sine);
  left.copy_(turned);
}

void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor& out) {
  at::index_select_out(out, table, 0, index);
}

void sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second, bool with_gelu,
                       at::Tensor& out) {
  at::Tensor sum = at::index_select(first.table, 0, first.index).add_(start);
  if (second.table.defined()) sum.add_(at::index_select(second.table, 0, second.index));
  if (with_gelu) at::gelu_(sum);
  out.copy_(sum);
}

void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor& out) {
  // With an optional it is the count of all, not of each.
  const at::Tensor owner = at::repeat_interleave(first.diff(), std::optional<std::int64_t>(x.size(0)));
  out.zero_().index_add_(0, owner, x);
}

void graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows) {
  if (const cuda::Table* library = device::loaded_cuda()) {
    device::check_cuda(library->graph_attention(&arguments, rows), "graph attention");
    return;
  }
  at::parallel_for(0, rows, 16,
                   [&](std::int64_t begin, std::int64_t end) { cuda::graph_attention_on_host(arguments, begin, end); });
}

}  // namespace

const Operations& device_operations() {
  static constexpr Operations table = {layer_norm,        gelu,         rotate,         gather_rows,
                                       sum_gathered_rows, sum_segments, graph_attention};
  return table;
}

}  // namespace tradewind::nn
