#include "worker/nn/graph_transformer_mapper.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "common/checkpoint/layer_limits.h"
#include "common/errors.h"
#include "worker/graph/pieces.h"
#include "worker/nn/chunks.h"

namespace tradewind::nn {
namespace {

std::optional<Linear> make_optional_linear(const std::optional<checkpoint::LinearDescription>& description,
                                           Precision precision) {
  if (!description) return std::nullopt;
  return Linear(*description, precision);
}

at::Tensor embedded(const std::optional<Linear>& embedding, const at::Tensor& x, Workspace& workspace) {
  if (!embedding) return x;
  at::Tensor out = workspace.take(Workspace::embedded, x.size(0), embedding->outputs());
  (*embedding)(x, out, workspace);
  return out;
}

}  // namespace

GraphTransformerMapper::GraphTransformerMapper(const checkpoint::GraphTransformerMapperDescription& description,
                                               const MapperContext& context)
    : block_(description.block, context.precision),
      source_embedding_(make_optional_linear(description.source_embedding, context.precision)),
      destination_embedding_(make_optional_linear(description.destination_embedding, context.precision)),
      raw_edges_(graph::edges_of(description.graph, context.destinations.range(context.communicator.rank()))),
      halo_(context.sources, graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}), context.communicator,
            context.place + " halo") {
  graph::require_nodes(description.graph, context.sources.rows(), context.destinations.rows());
  if (description.extractor) extractor_.emplace(*description.extractor, context.precision);
  for (std::int32_t& source : raw_edges_.source) source = static_cast<std::int32_t>(halo_.table_row(source));
  const std::int64_t bytes_per_source =
      2 * block_.attention_channels() * static_cast<std::int64_t>(at::elementSize(block_.stored_type()));
  const std::int64_t least = std::max(context.least_pieces, description.chunks);
  const auto distinct = static_cast<std::int64_t>(graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}).size());
  for (const graph::Piece& piece :
       graph::cut_into_pieces(raw_edges_, checkpoint::limits::sources_per_piece(distinct, bytes_per_source), least)) {
    pieces_.push_back({piece.rows, table_rows(piece.sources, halo_.own_rows())});
  }
  edges_ = attention_edges(raw_edges_, block_.prepare(raw_edges_.attributes, context.workspace));
  raw_edges_ = {};
  chunk_limit_ = std::max<std::int64_t>(1, (context.destinations.rows() + least - 1) / least);
  chunk_ = chunk_rows(block_.widest(), chunk_limit_);
}

void GraphTransformerMapper::move_to(at::Device device) {
  move_all(device, block_, source_embedding_, destination_embedding_, extractor_, halo_, pieces_, edges_, fixed_query_,
           fixed_result_);
  chunk_ = chunk_rows(block_.widest(), chunk_limit_, device);
}

std::int64_t GraphTransformerMapper::outputs() const {
  return extractor_ ? extractor_->outputs(block_.channels()) : block_.channels();
}

// A chunk of consecutive destination rows.
at::Tensor GraphTransformerMapper::embed_destinations(const RowSource& rows, std::int64_t begin, std::int64_t count,
                                                      Workspace& workspace) const {
  at::Tensor x = workspace.take(Workspace::input, count, rows.columns());
  rows.range(begin, begin + count, x);
  return embedded(destination_embedding_, x, workspace);
}

void GraphTransformerMapper::fix_destinations(const at::Tensor& rows, Workspace& workspace) {
  const TensorRows source(rows, workspace.operations());
  if (!block_.conditional()) fixed_query_ = at::empty({rows.size(0), block_.attention_channels()}, rows.options());
  fixed_result_ = at::empty({rows.size(0), block_.channels()}, rows.options());
  for (std::int64_t begin = 0; begin < rows.size(0); begin += chunk_) {
    const std::int64_t count = std::min(chunk_, rows.size(0) - begin);
    at::Tensor x = fixed_result_.narrow(0, begin, count);
    x.copy_(embed_destinations(source, begin, count, workspace));
    if (fixed_query_.defined()) {
      prepare_destinations(x, begin, nullptr, fixed_query_.narrow(0, begin, count), workspace);
    }
  }
}

void GraphTransformerMapper::prepare_destinations(at::Tensor x, std::int64_t begin, const SameRows* condition,
                                                  at::Tensor query, Workspace& workspace) const {
  at::Tensor normalized = workspace.take(Workspace::normalized, x.size(0), x.size(1));
  block_.normalize(x, begin, condition, normalized, workspace);
  block_.queries(normalized, std::move(query), workspace);
  block_.add_self(normalized, std::move(x), workspace);
}

void GraphTransformerMapper::compute_sources(const SourceTable& sources, const SameRows* condition, const Piece& piece,
                                             at::Tensor& key, at::Tensor& value, Workspace& workspace) const {
  for_each_chunk(piece.sources.count(), chunk_, workspace, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor x = workspace.take(Workspace::input, count, sources.columns());
    sources.rows(piece.sources, begin, x);
    x = embedded(source_embedding_, x, workspace);
    block_.keys_values(x, condition, key.narrow(0, begin, count), value.narrow(0, begin, count), workspace);
  });
}

void GraphTransformerMapper::compute_destinations(const at::Tensor& key, const at::Tensor& value,
                                                  const Destinations& destinations, const Sink& sink,
                                                  Workspace& workspace) const {
  const SameRows* condition = destinations.condition;
  for_each_chunk(destinations.rows.size(), chunk_, workspace, [&](std::int64_t first, std::int64_t count) {
    const std::int64_t begin = destinations.rows.begin + first;
    at::Tensor x, query;
    if (destinations.given) {
      x = embed_destinations(*destinations.given, begin, count, workspace);
    } else {
      x = workspace.take(Workspace::embedded, count, fixed_result_.size(1))
              .copy_(fixed_result_.narrow(0, begin, count));
    }
    if (destinations.given || !fixed_query_.defined()) {
      query = workspace.take(Workspace::query, count, block_.attention_channels());
      prepare_destinations(x, begin, condition, query, workspace);
    } else {
      query = fixed_query_.narrow(0, begin, count);
    }
    block_.add_attention(query, key, value, edges_, begin, x, workspace);
    block_.add_mlp(x, begin, condition, workspace);
    if (!extractor_) {
      sink(begin, x);
      return;
    }
    at::Tensor extracted = workspace.take(Workspace::result, count, outputs());
    (*extractor_)(x, extracted, false, workspace);
    sink(begin, extracted);
  });
}

void GraphTransformerMapper::operator()(const RowSource& sources, const RowSource* destinations,
                                        const SameRows* condition, const Sink& sink, dist::Communicator& communicator,
                                        Workspace& workspace) const {
  if (!destinations && !fixed_result_.defined()) throw InternalFault("a mapper without destinations");
  const SourceTable table(sources, halo_.fetch(sources, communicator), workspace.operations());
  for (const Piece& piece : pieces_) {
    const std::int64_t count = piece.sources.count();
    at::Tensor key = workspace.take(Workspace::key, count, block_.attention_channels(), block_.stored_type());
    at::Tensor value = workspace.take(Workspace::value, count, block_.attention_channels(), block_.stored_type());
    compute_sources(table, condition, piece, key, value, workspace);
    compute_destinations(key, value, {destinations, condition, piece.rows}, sink, workspace);
  }
}

}  // namespace tradewind::nn
