// The kernels of kernels/, split over threads.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "worker/nn/operations.h"

namespace tradewind::nn {
namespace {

// Rows that are worth a thread.
std::int64_t grain(std::int64_t columns) { return 1 + (1 << 14) / std::max<std::int64_t>(1, columns); }

void layer_norm(const at::Tensor& x, at::Tensor& out, std::int64_t size, const at::Tensor& weight,
                const at::Tensor& bias, double epsilon) {
  const float* from = x.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  const float* scale = weight.defined() ? weight.const_data_ptr<float>() : nullptr;
  const float* shift = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  at::parallel_for(0, x.numel() / size, grain(size), [&](std::int64_t begin, std::int64_t end) {
    kernels::table().layer_norm(from + begin * size, to + begin * size, end - begin, size, scale, shift,
                                static_cast<float>(epsilon));
  });
}

void gelu(at::Tensor& x) {
  auto* values = x.mutable_data_ptr<float>();
  at::parallel_for(0, x.numel(), 1 << 14,
                   [&](std::int64_t begin, std::int64_t end) { kernels::table().gelu(values + begin, end - begin); });
}

void rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) {
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

void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor& out) {
  const std::int64_t columns = table.size(1);
  const float* from = table.const_data_ptr<float>();
  const std::int64_t* which = index.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, index.size(0), grain(columns), [&](std::int64_t begin, std::int64_t end) {
    kernels::table().gather(from, which + begin, end - begin, columns, to + begin * columns);
  });
}

void sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second, bool gelu,
                       at::Tensor& out) {
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
    kernels::table().gathered_sum(part);
  });
}

void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor& out) {
  const std::int64_t segments = out.size(0), columns = out.size(1);
  const float* from = x.const_data_ptr<float>();
  const std::int64_t* bounds = first.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  const std::int64_t per_segment = 1 + x.size(0) / std::max<std::int64_t>(1, segments);
  at::parallel_for(0, segments, grain(columns * per_segment), [&](std::int64_t begin, std::int64_t end) {
    kernels::table().segment_sum(from + (bounds[begin] - bounds[0]) * columns, bounds + begin, end - begin, columns,
                                 to + begin * columns);
  });
}

void graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows) {
  at::parallel_for(0, rows, 16, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> scratch(kernels::table().graph_attention_scratch(arguments));
    kernels::table().graph_attention(arguments, first, last, scratch.data());
  });
}

}  // namespace

void product_on_cpu(const kernels::Product& arguments) {
  at::parallel_for(0, arguments.rows, grain(arguments.inputs + arguments.outputs),
                   [&](std::int64_t begin, std::int64_t end) {
                     kernels::Product part = arguments;
                     part.x += begin * part.inputs;
                     part.out += begin * part.outputs;
                     part.rows = end - begin;
                     kernels::table().product(part);
                   });
}

void scale_rows_on_cpu(const kernels::ScaledRows& arguments) {
  at::parallel_for(0, arguments.rows, grain(arguments.columns), [&](std::int64_t begin, std::int64_t end) {
    kernels::ScaledRows part = arguments;
    if (part.index) {
      part.index += begin;
    } else {
      part.table += begin * part.columns;
    }
    part.out += begin * part.out_stride;
    part.rows = end - begin;
    kernels::table().scaled_rows(part);
  });
}

const Operations& cpu_operations() {
  static constexpr Operations table = {layer_norm,        gelu,         rotate,         gather_rows,
                                       sum_gathered_rows, sum_segments, graph_attention};
  return table;
}

}  // namespace tradewind::nn
