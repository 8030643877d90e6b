#include "worker/nn/graph_transformer_mapper.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "common/errors.h"

namespace tradewind::nn {
namespace {

// Keys and values of one piece: about a sixth of all, so that they shrink with a rank's share, within these bytes.
constexpr std::int64_t share = 6, keys_values_least = 8 << 20, keys_values_limit = 64 << 20;

std::int64_t sources_per_piece(std::int64_t sources, std::int64_t bytes_per_source) {
  const std::int64_t bytes = std::clamp(sources * bytes_per_source / share, keys_values_least, keys_values_limit);
  return std::max<std::int64_t>(1, bytes / bytes_per_source);
}

std::optional<Linear> make_optional_linear(const std::optional<checkpoint::LinearDescription>& description,
                                           config::Precision precision) {
  if (!description) return std::nullopt;
  return Linear(*description, precision);
}

}  // namespace

GraphTransformerMapper::GraphTransformerMapper(const checkpoint::GraphTransformerMapperDescription& description,
                                               config::Precision precision, const dist::Shards& sources,
                                               const dist::Shards& destinations, dist::Communicator& communicator,
                                               const std::string& place, std::int64_t least_pieces,
                                               Workspace& workspace)
    : block_(description.block, precision),
      source_embedding_(make_optional_linear(description.source_embedding, precision)),
      destination_embedding_(make_optional_linear(description.destination_embedding, precision)),
      raw_edges_(graph::edges_of(description.graph, destinations.range(communicator.rank()))),
      halo_(sources, graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}), communicator, place + " plan") {
  if (description.graph.sources != sources.rows() || description.graph.destinations != destinations.rows()) {
    throw UserError("the graph and its nodes differ in number", description.graph.edge_index.path,
                    "the checkpoint is damaged or of an unknown layout");
  }
  if (description.extractor) extractor_.emplace(*description.extractor, precision);
  for (std::int32_t& source : raw_edges_.source) source = static_cast<std::int32_t>(halo_.table_row(source));
  const std::int64_t bytes_per_source =
      2 * block_.attention_channels() * static_cast<std::int64_t>(at::elementSize(block_.stored_type()));
  const std::int64_t least = std::max(least_pieces, description.chunks);
  const auto distinct = static_cast<std::int64_t>(graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}).size());
  pieces_ = graph::cut_into_pieces(raw_edges_, sources_per_piece(distinct, bytes_per_source), least);
  edges_ = block_.prepare(std::move(raw_edges_), workspace);
  chunk_ = chunk_rows(block_.widest(), std::max<std::int64_t>(1, (destinations.rows() + least - 1) / least));
}

std::int64_t GraphTransformerMapper::outputs() const {
  return extractor_ ? extractor_->outputs(block_.channels()) : block_.channels();
}

at::Tensor GraphTransformerMapper::embed(const RowSource& rows, std::span<const std::int64_t> which,
                                         const std::optional<Linear>& embedding, Workspace& workspace) const {
  const auto count = static_cast<std::int64_t>(which.size());
  at::Tensor x = workspace.take(Workspace::input, count, rows.columns());
  rows.rows(which, x);
  if (!embedding) return x;
  at::Tensor embedded = workspace.take(Workspace::embedded, count, embedding->outputs());
  (*embedding)(x, embedded, workspace);
  return embedded;
}

void GraphTransformerMapper::fix_destinations(const at::Tensor& rows, Workspace& workspace) {
  const TensorRows source(rows, rows.narrow(0, 0, 0));
  fixed_query_ = at::empty({rows.size(0), block_.attention_channels()}, at::kFloat);
  fixed_result_ = at::empty({rows.size(0), block_.channels()}, at::kFloat);
  for (std::int64_t begin = 0; begin < rows.size(0); begin += chunk_) {
    const std::int64_t count = std::min(chunk_, rows.size(0) - begin);
    std::vector<std::int64_t> which(static_cast<std::size_t>(count));
    std::iota(which.begin(), which.end(), begin);
    at::Tensor x = fixed_result_.narrow(0, begin, count);
    x.copy_(embed(source, which, destination_embedding_, workspace));
    at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
    block_.normalize(x, normalized);
    block_.queries(normalized, fixed_query_.narrow(0, begin, count), workspace);
    block_.add_self(normalized, x, workspace);
  }
}

void GraphTransformerMapper::compute_sources(const RowSource& sources, const graph::Piece& piece, at::Tensor& key,
                                             at::Tensor& value, Workspace& workspace) const {
  const auto total = static_cast<std::int64_t>(piece.sources.size());
  for (std::int64_t begin = 0; begin < total; begin += chunk_) {
    const std::int64_t count = std::min(chunk_, total - begin);
    const std::span which(piece.sources.data() + begin, static_cast<std::size_t>(count));
    const at::Tensor x = embed(sources, which, source_embedding_, workspace);
    block_.keys_values(x, key.narrow(0, begin, count), value.narrow(0, begin, count), workspace);
  }
}

void GraphTransformerMapper::compute_destinations(const at::Tensor& key, const at::Tensor& value,
                                                  const RowSource* destinations, dist::RowRange rows, const Sink& sink,
                                                  Workspace& workspace) const {
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += chunk_) {
    const std::int64_t count = std::min(chunk_, rows.end - begin);
    at::Tensor x, query;
    if (destinations) {
      std::vector<std::int64_t> which(static_cast<std::size_t>(count));
      std::iota(which.begin(), which.end(), begin);
      x = embed(*destinations, which, destination_embedding_, workspace);
      at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
      block_.normalize(x, normalized);
      query = workspace.take(Workspace::query, count, block_.attention_channels());
      block_.queries(normalized, query, workspace);
      block_.add_self(normalized, x, workspace);
    } else {
      x = workspace.take(Workspace::embedded, count, fixed_result_.size(1))
              .copy_(fixed_result_.narrow(0, begin, count));
      query = fixed_query_.narrow(0, begin, count);
    }
    block_.add_attention(query, key, value, edges_, begin, x, workspace);
    block_.add_mlp(x, workspace);
    if (!extractor_) {
      sink(begin, x);
      continue;
    }
    at::Tensor extracted = workspace.take(Workspace::result, count, outputs());
    (*extractor_)(x, extracted, false, workspace);
    sink(begin, extracted);
  }
}

void GraphTransformerMapper::operator()(const RowSource& sources, const RowSource* destinations, const Sink& sink,
                                        Workspace& workspace) const {
  if (!destinations && !fixed_query_.defined()) throw InternalFault("a mapper without destinations");
  for (const graph::Piece& piece : pieces_) {
    const auto count = static_cast<std::int64_t>(piece.sources.size());
    at::Tensor key = workspace.take(Workspace::key, count, block_.attention_channels(), block_.stored_type());
    at::Tensor value = workspace.take(Workspace::value, count, block_.attention_channels(), block_.stored_type());
    compute_sources(sources, piece, key, value, workspace);
    compute_destinations(key, value, destinations, piece.rows, sink, workspace);
  }
}

}  // namespace tradewind::nn
