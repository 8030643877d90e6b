#include "worker/nn/graph_conv_mapper.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "common/checkpoint/layer_limits.h"
#include "common/errors.h"
#include "worker/graph/pieces.h"
#include "worker/nn/chunks.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {
namespace {

std::optional<Sequential> make_optional(const std::optional<checkpoint::SequentialDescription>& description,
                                        Precision precision) {
  if (!description) return std::nullopt;
  return Sequential(*description, precision);
}

// What the encoder makes of its sources, row by row.
class UpdatedSources : public RowSource {
 public:
  UpdatedSources(const RowSource& sources, const Sequential& embedding, const GraphConvBlock* update,
                 Workspace& workspace)
      : sources_(sources), embedding_(embedding), update_(update), workspace_(workspace) {}
  std::int64_t columns() const override { return embedding_.outputs(sources_.columns()); }
  void rows(const at::Tensor& which, at::Tensor out) const override {
    at::Tensor raw = workspace_.take(Workspace::encoded, which.size(0), sources_.columns());
    sources_.rows(which, raw);
    embedding_(raw, out, false, workspace_);
    if (update_) update_->update_sources(out, workspace_);
  }

 private:
  const RowSource& sources_;
  const Sequential& embedding_;
  const GraphConvBlock* update_;
  Workspace& workspace_;
};

}  // namespace

GraphConvMapper::GraphConvMapper(const checkpoint::GraphConvMapperDescription& description,
                                 const MapperContext& context)
    : block_(description.block, description.channels, context.precision),
      source_embedding_(make_optional(description.source_embedding, context.precision)),
      destination_embedding_(make_optional(description.destination_embedding, context.precision)),
      extractor_(make_optional(description.extractor, context.precision)),
      update_sources_(description.update_sources),
      raw_edges_(graph::edges_of(description.graph, context.destinations.range(context.communicator.rank()))),
      halo_(context.sources, graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}), context.communicator,
            context.place + " halo") {
  graph::require_nodes(description.graph, context.sources.rows(), context.destinations.rows());
  for (std::int32_t& source : raw_edges_.source) source = static_cast<std::int32_t>(halo_.table_row(source));
  const std::int64_t least = std::max(context.least_pieces, description.chunks);
  const auto distinct = static_cast<std::int64_t>(graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}).size());
  const std::int64_t bytes_per_source = block_.width() * block_.lanes() * 4;
  const auto pieces =
      graph::cut_into_pieces(raw_edges_, checkpoint::limits::sources_per_piece(distinct, bytes_per_source), least);
  std::vector<dist::RowRange> ranges;
  ranges.reserve(pieces.size());
  for (const graph::Piece& piece : pieces) ranges.push_back(piece.rows);
  chunk_ = chunk_rows(block_.widest(), std::max<std::int64_t>(1, (context.destinations.rows() + least - 1) / least));
  edges_ = message_edges(raw_edges_, ranges,
                         shared_chunk(raw_edges_.count(), chunk_rows(block_.widest(), 4096), context.workspace),
                         shared_chunk(raw_edges_.rows(), chunk_, context.workspace));
  std::size_t next = 0;
  for (const graph::Piece& piece : pieces) {
    Piece mine{table_rows(piece.sources, halo_.own_rows()), next, 0};
    while (next < edges_.chunks.size() && edges_.chunks[next].rows.end <= piece.rows.end) ++next;
    mine.chunks = next - mine.first_chunk;
    pieces_.push_back(std::move(mine));
  }
  keep_edges(description.edge_embedding, raw_edges_.attributes, context);
  raw_edges_ = {};
}

void GraphConvMapper::keep_edges(const checkpoint::SequentialDescription& description, const at::Tensor& attributes,
                                 const MapperContext& context) {
  embedding_.emplace(description, attributes, block_.channels(), context.precision);
  const std::int64_t edges = attributes.size(0), width = block_.width();
  const bool keep = edges * width * block_.lanes() * 4 <= context.kept_bytes;
  edge_sums_ = at::zeros({edges_.first.size(0) - 1, block_.channels()}, attributes.options());
  for (int lane = 0; keep && lane < block_.lanes(); ++lane) {
    edge_terms_[lane] = at::empty({edges, width}, attributes.options());
  }
  for (const EdgeChunk& chunk : edges_.chunks) {
    if (chunk.count == 0) continue;
    const at::Tensor embedded = embedding_->rows(chunk.first, chunk.count, context.workspace);
    context.workspace.operations().sum_segments(embedded,
                                                edges_.first.narrow(0, chunk.rows.begin, chunk.rows.size() + 1),
                                                edge_sums_.narrow(0, chunk.rows.begin, chunk.rows.size()));
    if (keep) block_.edge_terms(embedded, narrowed(edge_terms_, chunk.first, chunk.count), context.workspace);
  }
  if (keep) embedding_.reset();
}

void GraphConvMapper::move_to(at::Device device) {
  move_all(device, block_, source_embedding_, destination_embedding_, extractor_, halo_, pieces_, edges_, embedding_,
           edge_sums_, fixed_, edge_terms_[0], edge_terms_[1], fixed_terms_[0], fixed_terms_[1]);
}

std::int64_t GraphConvMapper::outputs() const {
  return extractor_ ? extractor_->outputs(block_.channels()) : block_.channels();
}

void GraphConvMapper::fix_destinations(const at::Tensor& rows, Workspace& workspace) {
  fixed_ = at::empty({rows.size(0), block_.channels()}, rows.options());
  const TensorRows source(rows, workspace.operations());
  for (std::int64_t begin = 0; begin < rows.size(0); begin += chunk_) {
    const std::int64_t end = std::min(rows.size(0), begin + chunk_);
    fixed_.slice(0, begin, end).copy_(destination_rows(source, {begin, end}, workspace));
  }
  Lanes terms;
  for (int lane = 0; lane < block_.lanes(); ++lane) {
    terms[lane] = at::empty({rows.size(0), block_.width()}, rows.options());
  }
  block_.destination_terms(fixed_, terms, workspace);
  if (embedding_) {
    fixed_terms_ = terms;
    return;
  }
  for (const EdgeChunk& chunk : edges_.chunks) {
    for (int lane = 0; lane < block_.lanes(); ++lane) {
      const at::Tensor edges = edge_terms_[lane].narrow(0, chunk.first, chunk.count);
      workspace.operations().sum_gathered_rows(edges,
                                               {terms[lane].narrow(0, chunk.rows.begin, chunk.rows.size()),
                                                edges_.target.narrow(0, chunk.first, chunk.count)},
                                               {}, false, edges);
    }
  }
}

Lanes GraphConvMapper::source_terms(const SourceTable& sources, const TableRows& rows, Workspace& workspace) const {
  Lanes terms = take_lanes(workspace, block_.lanes(), Workspace::key, Workspace::value, rows.count(), block_.width());
  for_each_chunk(rows.count(), chunk_, workspace, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor x = workspace.take(Workspace::input, count, sources.columns());
    sources.rows(rows, begin, x);
    if (source_embedding_) {
      at::Tensor embedded = workspace.take(Workspace::embedded, count, block_.channels());
      (*source_embedding_)(x, embedded, false, workspace);
      x = embedded;
    }
    block_.source_terms(x, narrowed(terms, begin, count), workspace);
  });
  return terms;
}

Lanes GraphConvMapper::edge_terms(const EdgeChunk& chunk, const Lanes& memory, Workspace& workspace) const {
  if (!embedding_) return narrowed(edge_terms_, chunk.first, chunk.count);
  block_.edge_terms(embedding_->rows(chunk.first, chunk.count, workspace), memory, workspace);
  return memory;
}

at::Tensor GraphConvMapper::destination_rows(const RowSource& rows, dist::RowRange range, Workspace& workspace) const {
  at::Tensor x = workspace.take(Workspace::normalized, range.size(), block_.channels());
  if (!destination_embedding_) {
    rows.range(range.begin, range.end, x);
    return x;
  }
  at::Tensor raw = workspace.take(Workspace::input, range.size(), rows.columns());
  rows.range(range.begin, range.end, raw);
  (*destination_embedding_)(raw, x, false, workspace);
  return x;
}

void GraphConvMapper::run_chunk(const EdgeChunk& chunk, const Lanes& sources, const RowSource* destinations,
                                const Sink& sink, Workspace& workspace) const {
  const std::int64_t rows = chunk.rows.size();
  at::Tensor x;
  Lanes terms;
  if (destinations) {
    x = destination_rows(*destinations, chunk.rows, workspace);
    terms = take_lanes(workspace, block_.lanes(), Workspace::query, Workspace::attended, rows, block_.width());
    block_.destination_terms(x, terms, workspace);
  } else {
    x = workspace.take(Workspace::normalized, rows, block_.channels()).copy_(fixed_.narrow(0, chunk.rows.begin, rows));
    terms = narrowed(fixed_terms_, chunk.rows.begin, rows);
  }
  at::Tensor summed = workspace.take(Workspace::summed, rows, block_.channels());
  if (chunk.count > 0) {
    at::Tensor messages = workspace.take(Workspace::messages, chunk.count, block_.channels());
    const Lanes sums =
        take_lanes(workspace, block_.lanes(), Workspace::sums, Workspace::sums_other, chunk.count, block_.width());
    block_.messages(edges_, chunk, edge_terms(chunk, sums, workspace), terms, sources, sums, messages, false,
                    workspace);
    workspace.operations().sum_segments(messages, edges_.first.narrow(0, chunk.rows.begin, rows + 1), summed);
    summed.add_(edge_sums_.narrow(0, chunk.rows.begin, rows));
  } else {
    summed.zero_();
  }
  block_.add_nodes(summed, x, workspace);
  if (!extractor_) {
    sink(chunk.rows.begin, x);
    return;
  }
  at::Tensor extracted = workspace.take(Workspace::result, rows, outputs());
  (*extractor_)(x, extracted, false, workspace);
  sink(chunk.rows.begin, extracted);
}

void GraphConvMapper::operator()(const RowSource& sources, const RowSource* destinations, const SameRows* condition,
                                 const Sink& sink, dist::Communicator& communicator, Workspace& workspace) const {
  if (condition) throw InternalFault("a message passing mapper takes no condition");
  if (!destinations && !fixed_.defined()) throw InternalFault("a mapper without destinations");
  if (destinations && fixed_.defined()) throw InternalFault("fixed destinations of a mapper given again");
  const SourceTable table(sources, halo_.fetch(sources, communicator), workspace.operations());
  for (const Piece& piece : pieces_) {
    const Lanes terms = source_terms(table, piece.sources, workspace);
    for_each_task(static_cast<std::int64_t>(piece.chunks), workspace, [&](std::int64_t i) {
      run_chunk(edges_.chunks[piece.first_chunk + static_cast<std::size_t>(i)], terms, destinations, sink, workspace);
    });
  }
}

std::unique_ptr<RowSource> GraphConvMapper::updated_sources(const RowSource& sources, Workspace& workspace) const {
  if (!source_embedding_) return nullptr;
  return std::make_unique<UpdatedSources>(sources, *source_embedding_, update_sources_ ? &block_ : nullptr, workspace);
}

}  // namespace tradewind::nn
