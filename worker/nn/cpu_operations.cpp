// The kernels of worker/kernels, split over threads.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "worker/kernels/kernels.h"
#include "worker/nn/operations.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {
namespace {

// Rows that are worth a thread.
std::int64_t grain(std::int64_t columns) { return 1 + (1 << 14) / std::max<std::int64_t>(1, columns); }

class CpuOperations : public Operations {
 public:
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
  bool packs_weights() const override { return true; }
  void packed_product(const kernels::Product& arguments) const override;
};

void CpuOperations::layer_norm(const at::Tensor& x, at::Tensor out, std::int64_t size, const at::Tensor& weight,
                               const at::Tensor& bias, double epsilon) const {
  const float* from = x.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  const float* scale = weight.defined() ? weight.const_data_ptr<float>() : nullptr;
  const float* shift = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  at::parallel_for(0, x.numel() / size, grain(size), [&](std::int64_t begin, std::int64_t end) {
    kernels::best().layer_norm(from + begin * size, to + begin * size, end - begin, size, scale, shift,
                               static_cast<float>(epsilon));
  });
}

void CpuOperations::gelu(at::Tensor& x) const {
  auto* values = x.mutable_data_ptr<float>();
  at::parallel_for(0, x.numel(), 1 << 14,
                   [&](std::int64_t begin, std::int64_t end) { kernels::best().gelu(values + begin, end - begin); });
}

void CpuOperations::rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) const {
  auto* values = x.mutable_data_ptr<float>();
  const std::int64_t half = head_size / 2;
  at::parallel_for(0, x.size(0), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> cosine(static_cast<std::size_t>(half)), sine(static_cast<std::size_t>(half));
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t i = 0; i < half; ++i) {
        const double frequency = std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(head_size));
        const double angle = static_cast<double>(first + row) * frequency;
        cosine[static_cast<std::size_t>(i)] = static_cast<float>(std::cos(angle));
        sine[static_cast<std::size_t>(i)] = static_cast<float>(std::sin(angle));
      }
      for (std::int64_t head = 0; head < heads; ++head) {
        float* a = values + (row * heads + head) * head_size;
        float* b = a + half;
        for (std::int64_t i = 0; i < half; ++i) {
          const float c = cosine[static_cast<std::size_t>(i)], s = sine[static_cast<std::size_t>(i)];
          const float left = a[i], right = b[i];
          a[i] = left * c - right * s;
          b[i] = right * c + left * s;
        }
      }
    }
  });
}

void CpuOperations::gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) const {
  const std::int64_t columns = table.size(1);
  const float* from = table.const_data_ptr<float>();
  const std::int64_t* which = index.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, index.size(0), grain(columns), [&](std::int64_t begin, std::int64_t end) {
    kernels::best().gather(from, which + begin, end - begin, columns, to + begin * columns);
  });
}

void CpuOperations::sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second,
                                      bool gelu, at::Tensor out) const {
  kernels::GatheredSum whole;
  whole.start = start.const_data_ptr<float>();
  whole.table = first.table.const_data_ptr<float>();
  whole.index = first.index.const_data_ptr<std::int32_t>();
  if (second.table.defined()) {
    whole.other = second.table.const_data_ptr<float>();
    whole.other_index = second.index.const_data_ptr<std::int32_t>();
  }
  whole.out = out.mutable_data_ptr<float>();
  whole.columns = out.size(1);
  whole.gelu = gelu;
  at::parallel_for(0, out.size(0), grain(whole.columns), [&](std::int64_t begin, std::int64_t end) {
    kernels::GatheredSum part = whole;
    part.start += begin * part.columns;
    part.index += begin;
    if (part.other) part.other_index += begin;
    part.out += begin * part.columns;
    part.rows = end - begin;
    kernels::best().gathered_sum(part);
  });
}

void CpuOperations::sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out) const {
  const std::int64_t segments = out.size(0), columns = out.size(1);
  const float* from = x.const_data_ptr<float>();
  const std::int64_t* bounds = first.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  const std::int64_t per_segment = 1 + x.size(0) / std::max<std::int64_t>(1, segments);
  at::parallel_for(0, segments, grain(columns * per_segment), [&](std::int64_t begin, std::int64_t end) {
    kernels::best().segment_sum(from + (bounds[begin] - bounds[0]) * columns, bounds + begin, end - begin, columns,
                                to + begin * columns);
  });
}

void CpuOperations::sum_weighted_rows(const SparseEntries& matrix, const at::Tensor& own, const at::Tensor& halo,
                                      at::Tensor out) const {
  kernels::WeightedRows whole;
  whole.own = own.const_data_ptr<float>();
  whole.other = halo.const_data_ptr<float>();
  whole.first = matrix.first.const_data_ptr<std::int64_t>();
  whole.index = matrix.column.const_data_ptr<std::int32_t>();
  whole.weight = matrix.weight.const_data_ptr<float>();
  whole.out = out.mutable_data_ptr<float>();
  whole.own_rows = own.size(0);
  whole.columns = out.size(1);
  const std::int64_t per_row = 1 + matrix.column.size(0) / std::max<std::int64_t>(1, out.size(0));
  at::parallel_for(0, out.size(0), grain(whole.columns * per_row), [&](std::int64_t begin, std::int64_t end) {
    kernels::WeightedRows part = whole;
    part.first += begin;
    part.index += part.first[0] - whole.first[0];
    part.weight += part.first[0] - whole.first[0];
    part.out += begin * part.columns;
    part.rows = end - begin;
    kernels::best().weighted_sum(part);
  });
}

void CpuOperations::graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows) const {
  at::parallel_for(0, rows, 16, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> scratch(kernels::best().graph_attention_scratch(arguments));
    kernels::best().graph_attention(arguments, first, last, scratch.data());
  });
}

void CpuOperations::copy_rows(const at::Tensor& table, const at::Tensor& index, std::int64_t first,
                              const preprocess::Affine* affine, at::Tensor& out, std::int64_t column) const {
  kernels::ScaledRows whole;
  whole.columns = table.size(1);
  whole.index = index.defined() ? index.const_data_ptr<std::int64_t>() : nullptr;
  whole.table = table.const_data_ptr<float>() + (index.defined() ? 0 : first * whole.columns);
  if (affine) {
    whole.multiply = affine->multiply.const_data_ptr<float>();
    whole.add = affine->add.const_data_ptr<float>();
  }
  whole.out = out.mutable_data_ptr<float>() + column;
  whole.out_stride = out.size(1);
  at::parallel_for(0, out.size(0), grain(whole.columns), [&](std::int64_t begin, std::int64_t end) {
    kernels::ScaledRows part = whole;
    if (part.index) {
      part.index += begin;
    } else {
      part.table += begin * part.columns;
    }
    part.out += begin * part.out_stride;
    part.rows = end - begin;
    kernels::best().scaled_rows(part);
  });
}

void CpuOperations::add_scaled_columns(const at::Tensor& from, const preprocess::Affine& affine,
                                       const at::Tensor& from_columns, const at::Tensor& to_columns,
                                       at::Tensor& out) const {
  const std::int64_t inputs = from.size(1), outputs = out.size(1), columns = from_columns.size(0);
  const std::int64_t *source = from_columns.const_data_ptr<std::int64_t>(),
                     *target = to_columns.const_data_ptr<std::int64_t>();
  const float *multiply = affine.multiply.const_data_ptr<float>(), *add = affine.add.const_data_ptr<float>();
  const float* x = from.const_data_ptr<float>();
  auto* y = out.mutable_data_ptr<float>();
  for (std::int64_t row = 0; row < out.size(0); ++row, x += inputs, y += outputs) {
    for (std::int64_t i = 0; i < columns; ++i) {
      y[target[i]] += x[source[i]] * multiply[source[i]] + add[source[i]];
    }
  }
}

KeyMemory CpuOperations::take_keys(std::int64_t rows, std::int64_t heads, std::int64_t head_size, at::ScalarType,
                                   Workspace& workspace) const {
  const kernels::KernelSet& set = kernels::best();
  const auto take = [&](Workspace::Purpose purpose, std::size_t floats) {
    return workspace.take(purpose, 1, static_cast<std::int64_t>(floats));
  };
  return {rows, heads, head_size, take(Workspace::key, set.packed_keys_size(rows, heads, head_size)),
          take(Workspace::value, set.packed_values_size(rows, heads, head_size))};
}

void CpuOperations::add_keys(const KeyMemory& memory, const at::Tensor& key, const at::Tensor& value,
                             std::int64_t first) const {
  const kernels::KernelSet& set = kernels::best();
  auto *keys = memory.keys.mutable_data_ptr<float>(), *values = memory.values.mutable_data_ptr<float>();
  at::parallel_for(0, memory.heads, 1, [&](std::int64_t head, std::int64_t last) {
    for (; head < last; ++head) {
      set.pack(key.const_data_ptr<float>(), value.const_data_ptr<float>(), keys, values, memory.rows, first,
               key.size(0), head, memory.heads, memory.head_size);
    }
  });
}

void CpuOperations::attend(const KeyMemory& memory, at::Tensor query, std::int64_t position,
                           const Scores& scores) const {
  kernels::WindowAttention arguments;
  arguments.query = query.const_data_ptr<float>();
  arguments.keys = memory.keys.const_data_ptr<float>();
  arguments.values = memory.values.const_data_ptr<float>();
  arguments.out = query.mutable_data_ptr<float>();
  arguments.queries = query.size(0);
  arguments.keys_count = memory.rows;
  arguments.heads = memory.heads;
  arguments.head_size = memory.head_size;
  arguments.query_position = position;
  arguments.window = scores.window;
  arguments.scale = 1.0F / std::sqrt(static_cast<float>(memory.head_size));
  arguments.softcap = static_cast<float>(scores.softcap);
  arguments.slopes = scores.slopes.defined() ? scores.slopes.const_data_ptr<float>() : nullptr;
  const std::int64_t blocks = (query.size(0) + kernels::query_block - 1) / kernels::query_block;
  at::parallel_for(0, memory.heads * blocks, 1, [&](std::int64_t task, std::int64_t last) {
    std::vector<float> scratch(kernels::best().window_attention_scratch(arguments));
    for (; task < last; ++task) {
      kernels::best().window_attention(arguments, task / blocks, task % blocks, scratch.data());
    }
  });
}

void CpuOperations::packed_product(const kernels::Product& arguments) const {
  at::parallel_for(0, arguments.rows, grain(arguments.inputs + arguments.outputs),
                   [&](std::int64_t begin, std::int64_t end) {
                     kernels::Product part = arguments;
                     part.x += begin * part.inputs;
                     part.out += begin * part.outputs;
                     part.rows = end - begin;
                     kernels::best().product(part);
                   });
}

}  // namespace

const Operations& cpu_operations() {
  static const CpuOperations operations;
  return operations;
}

}  // namespace tradewind::nn
