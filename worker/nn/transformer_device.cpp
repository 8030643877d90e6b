// A transformer block on a device other than the CPU: keys and values of all rows that are seen lie plainly in memory,
// in the type of the precision, and queries go by chunks that fill the device.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "worker/nn/device_attention.h"
#include "worker/nn/transformer_processor.h"

namespace tradewind::nn {

void TransformerBlock::keys_values(const at::Tensor& x, std::int64_t position, at::Tensor keys, at::Tensor values,
                                   std::int64_t chunk, Workspace& workspace) const {
  for (std::int64_t begin = 0; begin < x.size(0); begin += chunk) {
    const std::int64_t count = std::min(chunk, x.size(0) - begin);
    at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
    norm_attention_(x.narrow(0, begin, count), normalized);
    at::Tensor projected = workspace.take(Workspace::attended, count, heads_ * head_size_);
    project(key_, key_norm_, rotary_, normalized, position + begin, projected, workspace);
    keys.narrow(0, begin, count).copy_(projected);
    project(value_, std::nullopt, false, normalized, position + begin, projected, workspace);
    values.narrow(0, begin, count).copy_(projected);
  }
}

void TransformerBlock::run_on_device(at::Tensor x, const at::Tensor& halo, const AttentionSpan& span,
                                     std::int64_t least_chunks, Workspace& workspace) const {
  const std::int64_t rows = x.size(0), channels = heads_ * head_size_, before = span.own.begin - span.seen.begin;
  const std::int64_t chunk =
      chunk_rows(std::max(mlp_.widest(), channels), (rows + least_chunks - 1) / least_chunks, workspace.device());
  at::Tensor keys = workspace.take(Workspace::key, span.seen.size(), channels, stored_type_);
  at::Tensor values = workspace.take(Workspace::value, span.seen.size(), channels, stored_type_);
  const auto fill = [&](const at::Tensor& part, std::int64_t first) {
    const std::int64_t count = part.size(0);
    keys_values(part, span.seen.begin + first, keys.narrow(0, first, count), values.narrow(0, first, count), chunk,
                workspace);
  };
  fill(halo.narrow(0, 0, before), 0);
  fill(x, before);
  fill(halo.narrow(0, before, halo.size(0) - before), before + rows);

  DeviceAttention attention;
  attention.heads = heads_;
  attention.head_size = head_size_;
  attention.window = window_.value_or(-1);
  attention.scale = 1.0 / std::sqrt(static_cast<double>(head_size_));
  attention.softcap = softcap_;
  attention.slopes = slopes_;
  for (std::int64_t begin = 0; begin < rows; begin += chunk) {
    const std::int64_t count = std::min(chunk, rows - begin);
    at::Tensor part = x.narrow(0, begin, count);
    at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
    norm_attention_(part, normalized);
    at::Tensor query = workspace.take(Workspace::query, count, channels);
    project(query_, query_norm_, rotary_, normalized, span.own.begin + begin, query, workspace);
    nn::attend(attention, query, before + begin, keys, values, query);
    projection_.add(query, part, workspace);
    norm_mlp_(part, normalized);
    mlp_(normalized, part, true, workspace);
  }
}

}  // namespace tradewind::nn
