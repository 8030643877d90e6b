#include "worker/nn/key_table.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

#include "worker/nn/device_attention.h"
#include "worker/nn/kernels/kernels.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {

KeyTable::KeyTable(std::int64_t rows, std::int64_t heads, std::int64_t head_size, at::ScalarType type,
                   Workspace& workspace)
    : rows_(rows), heads_(heads), head_size_(head_size), packed_(on_cpu_kernels(workspace.take(Workspace::key, 0, 0))) {
  if (!packed_) {
    keys_ = workspace.take(Workspace::key, rows, heads * head_size, type);
    values_ = workspace.take(Workspace::value, rows, heads * head_size, type);
    return;
  }
  const kernels::Table& table = kernels::table();
  keys_ = workspace.take(Workspace::key, 1, static_cast<std::int64_t>(table.packed_keys_size(rows, heads, head_size)));
  values_ =
      workspace.take(Workspace::value, 1, static_cast<std::int64_t>(table.packed_values_size(rows, heads, head_size)));
}

void KeyTable::add(const at::Tensor& key, const at::Tensor& value, std::int64_t first) {
  if (!packed_) {
    keys_.narrow(0, first, key.size(0)).copy_(key);
    values_.narrow(0, first, value.size(0)).copy_(value);
    return;
  }
  const kernels::Table& table = kernels::table();
  at::parallel_for(0, heads_, 1, [&](std::int64_t head, std::int64_t last) {
    for (; head < last; ++head) {
      table.pack(key.const_data_ptr<float>(), value.const_data_ptr<float>(), keys_.mutable_data_ptr<float>(),
                 values_.mutable_data_ptr<float>(), rows_, first, key.size(0), head, heads_, head_size_);
    }
  });
}

void KeyTable::attend_packed(at::Tensor& query, std::int64_t position, const Scores& scores) const {
  kernels::WindowAttention arguments;
  arguments.query = query.const_data_ptr<float>();
  arguments.keys = keys_.const_data_ptr<float>();
  arguments.values = values_.const_data_ptr<float>();
  arguments.out = query.mutable_data_ptr<float>();
  arguments.queries = query.size(0);
  arguments.keys_count = rows_;
  arguments.heads = heads_;
  arguments.head_size = head_size_;
  arguments.query_position = position;
  arguments.window = scores.window;
  arguments.scale = 1.0F / std::sqrt(static_cast<float>(head_size_));
  arguments.softcap = static_cast<float>(scores.softcap);
  arguments.slopes = scores.slopes.defined() ? scores.slopes.const_data_ptr<float>() : nullptr;
  const std::int64_t blocks = (query.size(0) + kernels::query_block - 1) / kernels::query_block;
  at::parallel_for(0, heads_ * blocks, 1, [&](std::int64_t task, std::int64_t last) {
    std::vector<float> scratch(kernels::table().window_attention_scratch(arguments));
    for (; task < last; ++task) {
      kernels::table().window_attention(arguments, task / blocks, task % blocks, scratch.data());
    }
  });
}

void KeyTable::attend(at::Tensor query, std::int64_t position, const Scores& scores) const {
  if (packed_) {
    attend_packed(query, position, scores);
    return;
  }
  DeviceAttention attention;
  attention.heads = heads_;
  attention.head_size = head_size_;
  attention.window = scores.window;
  attention.scale = 1.0 / std::sqrt(static_cast<double>(head_size_));
  attention.softcap = scores.softcap;
  attention.slopes = scores.slopes;
  nn::attend(attention, query, position, keys_, values_, query);
}

}  // namespace tradewind::nn
