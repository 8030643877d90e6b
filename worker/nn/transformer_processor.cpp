#include "worker/nn/transformer_processor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/errors.h"
#include "worker/nn/move.h"
#include "worker/nn/operations.h"
#include "worker/nn/rotary.h"
#include "worker/weights/bind.h"

namespace tradewind::nn {
namespace {

std::optional<LayerNorm> make_norm(const std::optional<checkpoint::LayerNormDescription>& description) {
  if (!description) return std::nullopt;
  return LayerNorm(*description);
}

AttentionSpan span_of(const dist::Shards& rows, std::int64_t window, dist::Communicator& communicator) {
  const dist::RowRange own = rows.range(communicator.rank());
  dist::RowRange seen{0, rows.rows()};
  if (window >= 0) seen = {std::max<std::int64_t>(0, own.begin - window), std::min(rows.rows(), own.end + window)};
  if (own.size() == 0) seen = own;  // no query, nothing to see
  std::vector<std::int64_t> needed(static_cast<std::size_t>(seen.size()));
  std::iota(needed.begin(), needed.end(), seen.begin);
  return {own, seen, dist::HaloPlan(rows, needed, communicator, "processor plan")};
}

}  // namespace

TransformerBlock::TransformerBlock(const checkpoint::TransformerBlockDescription& description,
                                   config::Precision precision)
    : heads_(description.heads),
      head_size_(description.head_size),
      stored_type_(scalar_type(precision)),
      query_(description.query, precision),
      key_(description.key, precision),
      value_(description.value, precision),
      projection_(description.projection, precision),
      norm_attention_(description.norm_attention),
      norm_mlp_(description.norm_mlp),
      query_norm_(make_norm(description.query_norm)),
      key_norm_(make_norm(description.key_norm)),
      window_(description.window),
      softcap_(description.softcap),
      rotary_(description.rotary),
      mlp_(description.mlp, precision) {
  const std::string& path = description.query.weight.path;
  for (const Linear* linear : {&query_, &key_, &value_}) {
    if (linear->outputs() != heads_ * head_size_) {
      throw UserError("the projections of an attention do not have " + std::to_string(heads_) + " heads of " +
                          std::to_string(head_size_),
                      path, "the checkpoint is damaged or of an unknown layout");
    }
  }
  if (rotary_ && head_size_ % 2 != 0) {
    throw UserError("rotary embeddings need an even head size, not " + std::to_string(head_size_), path);
  }
  if (description.alibi_slopes) {
    slopes_ = weights::bind_float(*description.alibi_slopes);
    if (slopes_.numel() != heads_) {
      throw UserError("ALiBi slopes for " + std::to_string(slopes_.numel()) + " heads, not " + std::to_string(heads_),
                      description.alibi_slopes->path, "the checkpoint is damaged or of an unknown layout");
    }
  }
}

void TransformerBlock::move_to(at::Device device) {
  move_all(device, query_, key_, value_, projection_, norm_attention_, norm_mlp_, query_norm_, key_norm_, slopes_,
           mlp_);
}

void TransformerBlock::project(const Linear& linear, const std::optional<LayerNorm>& norm, bool rotary,
                               const at::Tensor& normalized, std::int64_t position, at::Tensor& out,
                               Workspace& workspace) const {
  linear(normalized, out, workspace);
  if (norm) (*norm)(out, out);
  if (rotary) rotate(out, position, heads_, head_size_);
}

// Keys and values of x, which becomes rows [first, first + rows) of the packed ones and starts at global `position`.
void TransformerBlock::pack(const at::Tensor& x, std::int64_t first, std::int64_t position, Packed& packed,
                            std::int64_t chunk, Workspace& workspace) const {
  const kernels::Table& table = kernels::table();
  for (std::int64_t begin = 0; begin < x.size(0); begin += chunk) {
    const std::int64_t count = std::min(chunk, x.size(0) - begin);
    at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
    norm_attention_(x.narrow(0, begin, count), normalized);
    at::Tensor key = workspace.take(Workspace::attended, count, heads_ * head_size_);
    at::Tensor value = workspace.take(Workspace::result, count, heads_ * head_size_);
    project(key_, key_norm_, rotary_, normalized, position + begin, key, workspace);
    project(value_, std::nullopt, false, normalized, position + begin, value, workspace);
    at::parallel_for(0, heads_, 1, [&](std::int64_t head, std::int64_t last) {
      for (; head < last; ++head) {
        table.pack(key.const_data_ptr<float>(), value.const_data_ptr<float>(), packed.keys.mutable_data_ptr<float>(),
                   packed.values.mutable_data_ptr<float>(), packed.rows, first + begin, count, head, heads_,
                   head_size_);
      }
    });
  }
}

// query becomes the attention's result. position: of its first row, counted from the first packed row.
void TransformerBlock::attend(at::Tensor& query, std::int64_t position, const Packed& packed) const {
  kernels::WindowAttention arguments;
  arguments.query = query.const_data_ptr<float>();
  arguments.keys = packed.keys.const_data_ptr<float>();
  arguments.values = packed.values.const_data_ptr<float>();
  arguments.out = query.mutable_data_ptr<float>();
  arguments.queries = query.size(0);
  arguments.keys_count = packed.rows;
  arguments.heads = heads_;
  arguments.head_size = head_size_;
  arguments.query_position = position;
  arguments.window = window_.value_or(-1);
  arguments.scale = 1.0F / std::sqrt(static_cast<float>(head_size_));
  arguments.softcap = static_cast<float>(softcap_);
  arguments.slopes = slopes_.defined() ? slopes_.const_data_ptr<float>() : nullptr;
  const std::int64_t blocks = (query.size(0) + kernels::query_block - 1) / kernels::query_block;
  at::parallel_for(0, heads_ * blocks, 1, [&](std::int64_t task, std::int64_t last) {
    std::vector<float> scratch(kernels::table().window_attention_scratch(arguments));
    for (; task < last; ++task) {
      kernels::table().window_attention(arguments, task / blocks, task % blocks, scratch.data());
    }
  });
}

void TransformerBlock::operator()(at::Tensor x, const at::Tensor& halo, const AttentionSpan& span,
                                  std::int64_t least_chunks, Workspace& workspace) const {
  const std::int64_t rows = x.size(0), before = span.own.begin - span.seen.begin;
  if (rows == 0) return;
  if (!on_cpu_kernels(x)) return run_on_device(std::move(x), halo, span, least_chunks, workspace);
  const std::int64_t chunk =
      chunk_rows(std::max(mlp_.widest(), heads_ * head_size_), (rows + least_chunks - 1) / least_chunks);
  const kernels::Table& table = kernels::table();
  Packed packed;
  packed.rows = span.seen.size();
  packed.keys = workspace.take(Workspace::key, 1,
                               static_cast<std::int64_t>(table.packed_keys_size(packed.rows, heads_, head_size_)));
  packed.values = workspace.take(Workspace::value, 1,
                                 static_cast<std::int64_t>(table.packed_values_size(packed.rows, heads_, head_size_)));
  pack(halo.narrow(0, 0, before), 0, span.seen.begin, packed, chunk, workspace);
  pack(x, before, span.own.begin, packed, chunk, workspace);
  pack(halo.narrow(0, before, halo.size(0) - before), before + rows, span.own.end, packed, chunk, workspace);

  for (std::int64_t begin = 0; begin < rows; begin += chunk) {
    const std::int64_t count = std::min(chunk, rows - begin);
    at::Tensor part = x.narrow(0, begin, count);
    at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
    norm_attention_(part, normalized);
    at::Tensor query = workspace.take(Workspace::query, count, heads_ * head_size_);
    project(query_, query_norm_, rotary_, normalized, span.own.begin + begin, query, workspace);
    attend(query, before + begin, packed);
    projection_.add(query, part, workspace);
    norm_mlp_(part, normalized);
    mlp_(normalized, part, true, workspace);
  }
}

TransformerProcessor::TransformerProcessor(const checkpoint::TransformerProcessorDescription& description,
                                           const ProcessorSite& site)
    : least_chunks_(std::max<std::int64_t>(1, site.least_chunks)) {
  for (std::size_t i = 0; i < description.blocks.size(); ++i) {
    const checkpoint::TransformerBlockDescription& block = description.blocks[i];
    const std::int64_t window = block.window.value_or(-1);
    if (!spans_.contains(window)) spans_.emplace(window, span_of(site.rows, window, site.communicator));
    layers_.push_back(
        {TransformerBlock(block, site.precision), &spans_.at(window), "processor layer " + std::to_string(i)});
  }
}

void TransformerProcessor::move_to(at::Device device) {
  for (auto& [window, span] : spans_) span.halo.move_to(device);
  for (Layer& layer : layers_) layer.block.move_to(device);
}

void TransformerProcessor::operator()(at::Tensor x, dist::Communicator& communicator, Workspace& workspace) const {
  for (const Layer& layer : layers_) {
    const at::Tensor halo = layer.span->halo.exchange(x, communicator, layer.place);
    layer.block(x, halo, *layer.span, least_chunks_, workspace);
  }
}

}  // namespace tradewind::nn
