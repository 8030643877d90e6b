#include "common/checkpoint/scratch.h"

#include <algorithm>
#include <variant>

#include "common/checkpoint/layer_limits.h"

namespace tradewind::checkpoint {
namespace {

std::int64_t outputs(const LinearDescription& linear) { return linear.weight.shape[0]; }
std::int64_t inputs(const LinearDescription& linear) { return linear.weight.shape[1]; }

std::int64_t widest_of(const GraphConvBlockDescription& block) {
  return std::max(
      {first_width(block.edge_mlp), widest_of(block.edge_mlp), first_width(block.node_mlp), widest_of(block.node_mlp)});
}

}  // namespace

std::int64_t widest_of(const SequentialDescription& layers) {
  std::int64_t widest = 0;
  for (const SequentialLayer& layer : layers.layers) {
    if (const auto* linear = std::get_if<LinearDescription>(&layer)) widest = std::max(widest, outputs(*linear));
    if (const auto* norm = std::get_if<LayerNormDescription>(&layer)) widest = std::max(widest, norm->size);
    if (const auto* gated = std::get_if<GatedDescription>(&layer)) widest = std::max(widest, outputs(gated->value));
  }
  return widest;
}

std::int64_t lanes_of(const SequentialDescription& layers) {
  return std::holds_alternative<GatedDescription>(layers.layers.front()) ? 2 : 1;
}

std::int64_t first_width(const SequentialDescription& layers) {
  const SequentialLayer& first = layers.layers.front();
  if (const auto* gated = std::get_if<GatedDescription>(&first)) return outputs(gated->value);
  const auto* linear = std::get_if<LinearDescription>(&first);
  return linear ? outputs(*linear) : 0;
}

void Scratch::take(Purpose purpose, std::int64_t rows, std::int64_t columns, std::int64_t bytes) {
  std::int64_t& most = (by_one_thread_ ? first_ : each_)[purpose];
  most = std::max(most, rows * columns * bytes);
}

std::int64_t Scratch::chunks() const {
  std::int64_t each = 0, first = 0;
  for (int purpose = 0; purpose < count_; ++purpose) {
    if (purpose == key || purpose == value || purpose == latents) continue;
    each += each_[purpose];
    first += std::max(each_[purpose], first_[purpose]);
  }
  return (threads_ - 1) * each + first;
}

std::int64_t Scratch::shared() const { return each_[key] + each_[value] + each_[latents]; }

std::int64_t Scratch::chunk(std::int64_t rows, std::int64_t columns, std::int64_t limit) const {
  return std::min(rows,
                  limits::shared_chunk(rows, limits::chunk_rows(columns, std::max<std::int64_t>(1, limit)), threads_));
}

// With a 16 bit precision operands are rounded and widened again, and so are weights that are not packed.
void Scratch::linear(const LinearDescription& linear, std::int64_t rows) {
  if (precision_ == Precision::f32) return;
  take(rounded, rows, inputs(linear), 2);
  take(operand, rows, inputs(linear));
  if (linear.weight.elements() > limits::packed_values) take(weight, outputs(linear), inputs(linear));
}

void Scratch::norm(const NormDescription& norm, std::int64_t rows) {
  if (!norm.condition) return;
  if (one_condition_) {
    rows = 1;
  } else {
    take(condition, rows, inputs(norm.condition->scale));
  }
  take(scale, rows, norm.size);
  take(shift, rows, norm.size);
  linear(norm.condition->scale, rows);
  linear(norm.condition->shift, rows);
}

void Scratch::sequential(const SequentialDescription& layers, std::int64_t rows) {
  int wide = 0;  // results between layers go to two tensors in turn
  for (std::size_t i = 0; i < layers.layers.size(); ++i) {
    const SequentialLayer& layer = layers.layers[i];
    const bool last = i + 1 == layers.layers.size();
    const auto next = [&] { return wide++ % 2 == 0 ? inner : inner_other; };
    if (const auto* one = std::get_if<LinearDescription>(&layer)) {
      linear(*one, rows);
      if (!last) take(next(), rows, outputs(*one));
    } else if (const auto* gated = std::get_if<GatedDescription>(&layer)) {
      linear(gated->gate, rows);
      linear(gated->value, rows);
      take(gate, rows, outputs(gated->gate));
      take(next(), rows, outputs(gated->value));
    }
  }
}

void Scratch::graph_block(const GraphTransformerBlockDescription& block, std::int64_t rows) {
  const std::int64_t channels = block.norm_destination.size, width = block.heads * block.head_size;
  take(normalized, rows, channels);
  take(query, rows, width);
  take(attended, rows, width);
  take(result, rows, width);
  for (const auto* one : {&block.query, &block.key, &block.value, &block.self, &block.projection}) linear(*one, rows);
  norm(block.norm_destination, rows);
  norm(block.norm_mlp, rows);
  sequential(block.mlp, rows);
}

void Scratch::mapper(const GraphTransformerMapperDescription& mapper, const LayerRows& rows) {
  const GraphTransformerBlockDescription& block = mapper.block;
  const std::int64_t width = block.heads * block.head_size, channels = block.norm_destination.size;
  const std::int64_t widest = std::max(width, widest_of(block.mlp)), all = rows.sources + rows.halo;
  const std::int64_t distinct = std::min(rows.edges, all);
  const std::int64_t piece = std::min(distinct, limits::sources_per_piece(distinct, 2 * width * element()));
  take(key, piece, width, element());
  take(value, piece, width, element());
  const std::int64_t read = chunk(piece, widest, rows.destinations * ranks_);
  take(input, read, rows.source_width);
  if (mapper.source_embedding) {
    take(embedded, read, outputs(*mapper.source_embedding));
    linear(*mapper.source_embedding, read);
  }
  graph_block(block, std::max(read, chunk(rows.destinations, widest, rows.destinations * ranks_)));
  const std::int64_t made = chunk(rows.destinations, widest, rows.destinations * ranks_);
  take(embedded, made, channels);
  if (!rows.fixed_destinations) take(input, made, rows.destination_width);
  if (mapper.destination_embedding && !rows.fixed_destinations) linear(*mapper.destination_embedding, made);
  if (mapper.extractor) {
    take(result, made, widest_of(*mapper.extractor));
    sequential(*mapper.extractor, made);
  }
}

void Scratch::mapper(const GraphConvMapperDescription& mapper, const LayerRows& rows) {
  const GraphConvBlockDescription& block = mapper.block;
  const std::int64_t widest = widest_of(block), lanes = lanes_of(block.edge_mlp), width = first_width(block.edge_mlp);
  const std::int64_t distinct = std::min(rows.edges, rows.sources + rows.halo);
  const std::int64_t piece = std::min(distinct, limits::sources_per_piece(distinct, 4 * width * lanes));
  take(key, piece, width);
  if (lanes > 1) take(value, piece, width);
  const std::int64_t most = rows.destinations * ranks_, read = chunk(piece, widest, most);
  take(input, read, rows.source_width);
  if (mapper.source_embedding) {
    take(embedded, read, mapper.channels);
    sequential(*mapper.source_embedding, read);
  }
  const std::int64_t made = chunk(rows.destinations, widest, most);
  const std::int64_t edges = chunk(rows.edges, widest, limits::chunk_most);
  take(normalized, made, mapper.channels);
  take(summed, made, mapper.channels);
  take(messages, edges, mapper.channels);
  take(sums, std::max(edges, made), width);
  if (lanes > 1) take(sums_other, std::max(edges, made), width);
  if (!rows.fixed_destinations) {
    take(query, made, width);
    if (lanes > 1) take(attended, made, width);
    if (mapper.destination_embedding) take(input, made, rows.destination_width);
  }
  sequential(block.edge_mlp, edges);
  sequential(block.node_mlp, made);
  if (mapper.extractor) {
    take(result, made, widest_of(*mapper.extractor));
    sequential(*mapper.extractor, made);
  }
}

// Without a window, or one that sees all, ranks share the heads, and rows go in rounds.
std::int64_t Scratch::attention(const AttentionDescription& each, std::int64_t keys, const LayerRows& rows,
                                std::int64_t chunk_of_rows) {
  const std::int64_t width = each.heads * each.head_size;
  const bool by_heads = ranks_ > 1 && (!each.window || *each.window >= keys);
  std::int64_t seen = keys, held = width, read = chunk_of_rows, asked = chunk_of_rows;
  if (by_heads) {
    held = (each.heads + ranks_ - 1) / ranks_ * each.head_size;
    const std::int64_t round = std::max(limits::round_least_rows, limits::round_bytes / 4 / width);
    read = std::min(rows.sources, round);
    asked = std::min(rows.destinations, round);
  } else if (each.window) {
    seen = std::min(keys, rows.destinations + 2 * *each.window);
  }
  take(key, seen, held);
  take(value, seen, held);
  by_one_thread_ = by_heads;
  take(input, read, rows.source_width);
  take(attended, read, width);
  take(result, read, width);
  take(query, asked, width);
  for (const auto* one : {&each.key, &each.value}) linear(*one, read);
  linear(each.query, asked);
  by_one_thread_ = false;
  linear(each.projection, chunk_of_rows);
  return asked;
}

void Scratch::mapper(const TransformerMapperDescription& mapper, const LayerRows& rows) {
  const std::int64_t width = mapper.attention.heads * mapper.attention.head_size;
  const std::int64_t made =
      chunk(rows.destinations, std::max(widest_of(mapper.mlp), width), rows.destinations * ranks_);
  const std::int64_t asked = attention(mapper.attention, rows.all_sources, rows, made);
  take(normalized, made, mapper.norm_destination.size);
  by_one_thread_ = asked > made;
  take(embedded, asked, mapper.norm_destination.size);
  if (!rows.fixed_destinations) take(input, asked, rows.destination_width);
  by_one_thread_ = false;
  sequential(mapper.mlp, made);
  if (mapper.extractor) {
    take(result, made, widest_of(*mapper.extractor));
    sequential(*mapper.extractor, made);
  }
}

void Scratch::mapper(const PointWiseMapperDescription& mapper, const LayerRows& rows) {
  const std::int64_t widest = std::max(widest_of(mapper.layers), mapper.inputs);
  const std::int64_t made = chunk(rows.destinations, widest, rows.destinations * ranks_);
  take(input, made, mapper.inputs);
  take(result, made, widest_of(mapper.layers));
  sequential(mapper.layers, made);
}

void Scratch::processor(const TransformerProcessorDescription& processor, const LayerRows& rows) {
  for (const TransformerBlockDescription& block : processor.blocks) {
    const std::int64_t width = block.heads * block.head_size;
    const std::int64_t made = chunk(rows.sources, std::max(widest_of(block.mlp), width), rows.sources);
    const std::int64_t asked = attention(block, rows.all_sources, rows, made);
    take(normalized, made, block.norm_attention.size);
    norm(block.norm_mlp, made);
    by_one_thread_ = asked > made;
    norm(block.norm_attention, asked);
    by_one_thread_ = false;
    sequential(block.mlp, made);
  }
}

void Scratch::processor(const GraphTransformerProcessorDescription& processor, const LayerRows& rows) {
  for (const GraphTransformerBlockDescription& block : processor.blocks) {
    const std::int64_t width = block.heads * block.head_size;
    take(key, rows.sources + rows.halo, width, element());
    take(value, rows.sources + rows.halo, width, element());
    graph_block(block, chunk(rows.sources, std::max(width, widest_of(block.mlp)), rows.sources));
  }
}

void Scratch::processor(const GraphConvProcessorDescription& processor, const LayerRows& rows) {
  const bool carried = processor.blocks.size() > 1;
  if (carried) take(latents, rows.edges, processor.channels);
  for (const GraphConvBlockDescription& block : processor.blocks) {
    const std::int64_t widest = widest_of(block), lanes = lanes_of(block.edge_mlp), width = first_width(block.edge_mlp);
    // Terms of sources and of destinations, of all rows; a lane each.
    take(key, rows.sources + rows.halo, width);
    take(value, lanes * rows.sources + (lanes - 1) * (rows.sources + rows.halo), width);
    const std::int64_t edges = chunk(rows.edges, widest, rows.edges), made = chunk(rows.sources, widest, rows.sources);
    take(summed, made, processor.channels);
    if (!carried) take(messages, edges, processor.channels);
    take(sums, std::max(edges, made), width);
    if (lanes > 1) take(sums_other, std::max(edges, made), width);
    sequential(block.edge_mlp, edges);
    sequential(block.node_mlp, made);
  }
}

void Scratch::processor(const PointWiseProcessorDescription& processor, const LayerRows& rows) {
  std::int64_t widest = 0;
  for (const SequentialDescription& layer : processor.layers) widest = std::max(widest, widest_of(layer));
  const std::int64_t made = chunk(rows.sources, widest, rows.sources);
  take(input, made, widest);
  for (const SequentialDescription& layer : processor.layers) sequential(layer, made);
}

void Scratch::add(const NoiseDescription& noise, std::int64_t rows, std::int64_t channels) {
  const std::int64_t wide = noise.injection ? channels + noise.channels : noise.channels;
  const std::int64_t made = chunk(rows, std::max(widest_of(noise.mlp), wide), rows);
  sequential(noise.mlp, made);
  if (!noise.injection) return;
  take(input, made, wide);
  linear(*noise.injection, made);
}

void Scratch::add(const MapperDescription& description, const LayerRows& rows) {
  std::visit([&](const auto& each) { mapper(each, rows); }, description);
}

void Scratch::add(const ProcessorDescription& description, const LayerRows& rows) {
  std::visit([&](const auto& each) { processor(each, rows); }, description);
}

}  // namespace tradewind::checkpoint
