#include "worker/nn/transformer_processor.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <utility>

#include "worker/nn/chunks.h"
#include "worker/nn/move.h"

namespace tradewind::nn {

TransformerBlock::TransformerBlock(const checkpoint::TransformerBlockDescription& description, Precision precision,
                                   std::shared_ptr<AttentionPlan> plan, std::string place, std::int64_t least_chunks)
    : attention_(description, precision, std::move(plan), std::move(place), least_chunks),
      norm_attention_(description.norm_attention, precision),
      norm_mlp_(description.norm_mlp, precision),
      mlp_(description.mlp, precision),
      least_chunks_(std::max<std::int64_t>(1, least_chunks)) {}

void TransformerBlock::move_to(at::Device device) { move_all(device, attention_, norm_attention_, norm_mlp_, mlp_); }

void TransformerBlock::operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                                  Workspace& workspace) const {
  const std::int64_t rows = x.size(0);
  const std::int64_t chunk =
      chunk_rows(std::max(mlp_.widest(), attention_.channels()),
                 std::max<std::int64_t>(1, (rows + least_chunks_ - 1) / least_chunks_), workspace.device());
  // Rows are normalised by their owner, who has their condition.
  const KeyMemory keys = attention_.keys(
      NormalizedRows(x, norm_attention_, condition, workspace), [](const at::Tensor& normalized) { return normalized; },
      chunk, communicator, workspace);
  const auto queries = [&](std::int64_t begin, std::int64_t count) {
    at::Tensor query = workspace.take(Workspace::query, count, attention_.channels());
    at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
    norm_attention_(x.narrow(0, begin, count), begin, condition, normalized, workspace);
    attention_.queries(normalized, begin, query, workspace);
    return Attention::Asked{query, {}};
  };
  const auto finish = [&](std::int64_t first, const at::Tensor& attended, const at::Tensor&) {
    for_each_chunk(attended.size(0), chunk, workspace, [&](std::int64_t begin, std::int64_t count) {
      at::Tensor part = x.narrow(0, first + begin, count);
      attention_.add_projection(attended.narrow(0, begin, count), part, workspace);
      at::Tensor normed = workspace.take(Workspace::normalized, count, x.size(1));
      norm_mlp_(part, first + begin, condition, normed, workspace);
      mlp_(normed, part, true, workspace);
    });
  };
  attention_.attend(keys, queries, finish, chunk, communicator, workspace);
}

TransformerProcessor::TransformerProcessor(const checkpoint::TransformerProcessorDescription& description,
                                           const ProcessorContext& context) {
  std::map<std::int64_t, std::shared_ptr<AttentionPlan>> plans;  // by window; -1: all rows
  for (std::size_t i = 0; i < description.blocks.size(); ++i) {
    const checkpoint::TransformerBlockDescription& block = description.blocks[i];
    auto& plan = plans[block.window.value_or(-1)];
    if (!plan) {
      plan = std::make_shared<AttentionPlan>(context.rows, context.rows, block.window, 0, context.communicator,
                                             "processor");
    }
    blocks_.emplace_back(block, context.precision, plan, "processor layer " + std::to_string(i), context.least_chunks);
  }
}

void TransformerProcessor::move_to(at::Device device) { move_all(device, blocks_); }

void TransformerProcessor::operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                                      Workspace& workspace) const {
  for (const TransformerBlock& block : blocks_) block(x, condition, communicator, workspace);
}

}  // namespace tradewind::nn
