#include "common/checkpoint/memory_estimate.h"

#include <algorithm>
#include <string>

#include "common/checkpoint/edge_share.h"
#include "common/checkpoint/input_columns.h"
#include "common/checkpoint/layer_limits.h"
#include "common/checkpoint/layer_sizes.h"
#include "common/checkpoint/scratch.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::int64_t kFloat = 4;
constexpr std::int64_t kRuntime = 140 * limits::mebibyte;  // an idle worker: LibTorch, ecCodes, allocator
// Of a value on its way: as float64 the field, its direction and the field ahead; as float32 the field that is asked
// about, scaled, the network's answer and its product, and one more while they change places.
constexpr std::int64_t kSampledBytes = 3 * 8 + 5 * 4;
constexpr std::int64_t kPointBytes = 8 * 5;  // of a point in computed forcings: sines and cosines, longitude

std::int64_t share(std::int64_t rows, int ranks) { return (rows + ranks - 1) / ranks; }

std::int64_t attributes_of(const GraphDescription& graph) {
  return graph.attributes.shape[1] + (graph.trainable ? graph.trainable->shape[1] : 0);
}
std::int64_t padded(std::int64_t columns) {
  return (columns + limits::attribute_padding - 1) / limits::attribute_padding * limits::attribute_padding;
}
// What the edge projection of an attention takes.
std::int64_t padded(const GraphTransformerBlockDescription& block) { return padded(block.edge.weight.shape[1]); }

// What the layers over a graph keep of it: the edges of a rank's destinations, and for every edge what no step changes.
struct GraphBytes {
  std::int64_t graph = 0, edges = 0;
};

std::int64_t index_bytes(std::int64_t rows, std::int64_t edges) { return 8 * (rows + 1) + 4 * edges; }

GraphBytes graph_bytes(const GraphTransformerMapperDescription& mapper, std::int64_t rows, std::int64_t edges) {
  return {index_bytes(rows, edges) + kFloat * padded(mapper.block) * edges, 0};
}
GraphBytes graph_bytes(const GraphConvMapperDescription& mapper, std::int64_t rows, std::int64_t edges) {
  const std::int64_t terms = kFloat * lanes_of(mapper.block.edge_mlp) * first_width(mapper.block.edge_mlp) * edges;
  const std::int64_t kept = terms <= limits::kept_bytes ? terms : kFloat * attributes_of(mapper.graph) * edges;
  return {index_bytes(rows, edges) + 4 * edges, kept + kFloat * mapper.channels * rows};
}
GraphBytes graph_bytes(const TransformerMapperDescription&, std::int64_t, std::int64_t) { return {}; }
GraphBytes graph_bytes(const PointWiseMapperDescription&, std::int64_t, std::int64_t) { return {}; }
GraphBytes graph_bytes(const PointWiseProcessorDescription&, std::int64_t, std::int64_t) { return {}; }
GraphBytes graph_bytes(const TransformerProcessorDescription&, std::int64_t, std::int64_t) { return {}; }
GraphBytes graph_bytes(const GraphTransformerProcessorDescription& processor, std::int64_t rows, std::int64_t edges) {
  std::int64_t columns = 0;
  bool shared = false;  // by all blocks without an MLP of their own
  for (const GraphTransformerBlockDescription& block : processor.blocks) {
    if (block.edge_mlp || !shared) columns += padded(block);
    shared = shared || !block.edge_mlp;
  }
  return {index_bytes(rows, edges) + kFloat * columns * edges, 0};
}
GraphBytes graph_bytes(const GraphConvProcessorDescription& processor, std::int64_t rows, std::int64_t edges) {
  const std::int64_t embedded = kFloat * processor.channels * edges;
  return {index_bytes(rows, edges) + 4 * edges,
          embedded <= limits::kept_bytes ? embedded : kFloat * attributes_of(processor.graph) * edges};
}

// Of an encoder's destinations, which no step changes, a row: their embedding, and queries that nothing conditions.
std::int64_t fixed_width(const GraphTransformerMapperDescription& mapper) {
  const std::int64_t queries =
      mapper.block.norm_destination.condition ? 0 : mapper.block.heads * mapper.block.head_size;
  return queries + mapper.block.norm_destination.size;
}
std::int64_t fixed_width(const GraphConvMapperDescription& mapper) { return mapper.channels; }
std::int64_t fixed_width(const TransformerMapperDescription& mapper) {
  const std::int64_t queries =
      mapper.norm_destination.condition ? 0 : mapper.attention.heads * mapper.attention.head_size;
  return queries + mapper.norm_destination.size;
}
std::int64_t fixed_width(const PointWiseMapperDescription&) { return 0; }

class Estimator {
 public:
  Estimator(const ModelDescription& model, const RankSize& rank)
      : model_(model),
        rank_(rank),
        scratch_(rank.precision, rank.threads, rank.world_size, model.transport.has_value()) {
    estimate_.world_size = rank.world_size;
    estimate_.threads = rank.threads;
    estimate_.element_size = bytes_of(rank.precision);
    estimate_.runtime = kRuntime;
  }

  MemoryEstimate operator()() {
    add_weights();
    for (const DatasetDescription& dataset : model_.datasets) add_dataset(dataset);
    // What encoders have made, one after the other or beside each other, and a copy for the latent skip.
    estimate_.latent += kFloat * 2 * latent_width(model_) * own(model_.levels.front());
    for (const StageDescription& stage : model_.trunk) std::visit([&](const auto& each) { add_stage(each); }, stage);
    if (model_.noise) add_noise(*model_.noise);
    estimate_.attention = scratch_.shared();
    estimate_.scratch = scratch_.chunks();
    return estimate_;
  }

 private:
  std::int64_t own(const NodeDescription& nodes) const { return share(nodes.count, rank_.world_size); }

  void add_weights() {
    const LinearSizes linears = linear_sizes(model_);
    const bool stored = rank_.precision == Precision::f32;
    estimate_.mapped = stored ? kFloat * linears.values : 0;
    estimate_.converted = (stored ? 0 : estimate_.element_size * linears.values) + kFloat * linears.packed;
  }

  void add_dataset(const DatasetDescription& dataset) {
    const NodeDescription& hidden = model_.levels.front();
    const std::int64_t rows = own(dataset.nodes), width = input_columns(dataset);
    estimate_.nodes += kFloat * node_columns(dataset.nodes) * rows;
    estimate_.state += rows * (kFloat * (dataset.input_steps * dataset.input_variables +
                                         2 * dataset.output_steps * dataset.output_variables) +
                               kPointBytes);
    LayerRows site{.source_width = width, .destination_width = node_columns(hidden), .fixed_destinations = true};
    if (dataset.encoder) {
      const std::int64_t halo = add_mapper(dataset.encoder->mapper, dataset.nodes, hidden, site);
      estimate_.halo_rows_encoder = std::max(estimate_.halo_rows_encoder, halo);
      estimate_.latent += kFloat * width * halo;
      estimate_.nodes += kFloat * own(hidden) *
                         std::visit([](const auto& mapper) { return fixed_width(mapper); }, dataset.encoder->mapper);
    }
    add_residual(dataset);
    if (model_.transport) {
      estimate_.latent += kSampledBytes * dataset.output_steps * dataset.output_variables * rows;
    }
    if (dataset.decoder) {
      const std::int64_t channels = latent_width(model_);
      site = {.source_width = channels, .destination_width = width};
      const std::int64_t halo = add_mapper(dataset.decoder->mapper, hidden, dataset.nodes, site);
      estimate_.halo_rows_decoder = std::max(estimate_.halo_rows_decoder, halo);
      estimate_.latent += kFloat * channels * halo;
    }
  }

  void add_residual(const DatasetDescription& dataset) {
    const auto* truncated = std::get_if<TruncatedResidualDescription>(&dataset.residual);
    if (!truncated) return;
    std::int64_t rows = 2 * own(dataset.nodes);
    for (const SparseDescriptor& matrix : truncated->matrices) {
      const EdgeShare entries = share_of_entries(matrix, rank_.world_size);
      const std::int64_t made = share(matrix.rows, rank_.world_size);
      estimate_.residual += 8 * (made + 1) + 8 * entries.edges;
      rows += entries.halo_rows + (&matrix == &truncated->matrices.back() ? 0 : made);
    }
    estimate_.latent += kFloat * static_cast<std::int64_t>(dataset.prognostic_input.size()) * rows;
  }

  // The halo's rows.
  std::int64_t add_mapper(const MapperDescription& mapper, const NodeDescription& sources,
                          const NodeDescription& destinations, LayerRows site) {
    const EdgeShare edges = share_of(sizes_of(mapper).graph);
    site.sources = own(sources);
    site.all_sources = sources.count;
    site.destinations = own(destinations);
    site.edges = edges.edges;
    site.halo = edges.halo_rows;
    scratch_.add(mapper, site);
    add_graph(mapper, site);
    return edges.halo_rows;
  }

  void add_stage(const ProcessStage& stage) {
    add_processor(stage.processor, model_.levels.at(stage.level));
    if (stage.skip) {
      estimate_.latent += kFloat * sizes_of(stage.processor).channels * own(model_.levels.at(stage.level));
    }
  }
  // Rows of the next level stay until they come back.
  void add_stage(const DownStage& stage) {
    const NodeDescription &from = model_.levels.at(stage.level), &to = model_.levels.at(stage.level + 1);
    const std::int64_t channels = sizes_of(stage.mapper).channels, width = width_of(stage.level);
    const std::int64_t halo =
        add_mapper(stage.mapper, from, to,
                   {.source_width = width, .destination_width = node_columns(to), .fixed_destinations = true});
    estimate_.nodes +=
        kFloat * own(to) * std::visit([](const auto& mapper) { return fixed_width(mapper); }, stage.mapper);
    estimate_.latent += kFloat * (channels * own(to) + width * halo);
  }
  void add_stage(const UpStage& stage) {
    const NodeDescription &from = model_.levels.at(stage.level + 1), &to = model_.levels.at(stage.level);
    const std::int64_t channels = width_of(stage.level + 1), width = width_of(stage.level);
    const std::int64_t halo =
        add_mapper(stage.mapper, from, to, {.source_width = channels, .destination_width = width});
    estimate_.latent += kFloat * (width * own(to) + channels * halo);
  }
  // Of the rows of a level: of what the encoders, or the mapper that leads to it, make.
  std::int64_t width_of(std::size_t level) const {
    for (const StageDescription& stage : model_.trunk) {
      const auto* down = std::get_if<DownStage>(&stage);
      if (down && down->level + 1 == level) return sizes_of(down->mapper).channels;
    }
    for (const DatasetDescription& dataset : model_.datasets) {
      if (dataset.encoder) return sizes_of(dataset.encoder->mapper).channels;
    }
    return 0;
  }

  void add_processor(const ProcessorDescription& processor, const NodeDescription& nodes) {
    const ProcessorSizes sizes = sizes_of(processor);
    const EdgeShare edges = share_of(sizes.graph);
    const LayerRows site{.sources = own(nodes),
                         .destinations = own(nodes),
                         .all_sources = nodes.count,
                         .halo = edges.halo_rows,
                         .edges = edges.edges,
                         .source_width = sizes.channels,
                         .destination_width = sizes.channels};
    scratch_.add(processor, site);
    add_graph(processor, site);
    estimate_.halo_rows_processor = std::max(estimate_.halo_rows_processor, edges.halo_rows);
    estimate_.latent += kFloat * sizes.channels * edges.halo_rows;
  }

  // All of it is drawn on every rank.
  void add_noise(const NoiseDescription& noise) {
    const NodeDescription& hidden = model_.levels.front();
    scratch_.add(noise, own(hidden), latent_width(model_));
    estimate_.latent += kFloat * noise.channels * (noise.rows + own(hidden));
    if (!noise.projection) return;
    estimate_.nodes += 8 * (own(hidden) + 1) + 8 * share_of_entries(*noise.projection, rank_.world_size).edges;
    estimate_.latent += kFloat * noise.channels * own(hidden);
  }

  template <class Layers>
  void add_graph(const Layers& layers, const LayerRows& site) {
    const GraphBytes bytes =
        std::visit([&](const auto& each) { return graph_bytes(each, site.destinations, site.edges); }, layers);
    estimate_.graph += bytes.graph;
    estimate_.edges += bytes.edges;
  }

  EdgeShare share_of(const GraphDescription* graph) const {
    return graph ? share_of_edges(*graph, rank_.world_size) : EdgeShare{};
  }

  const ModelDescription& model_;
  RankSize rank_;
  Scratch scratch_;
  MemoryEstimate estimate_;
};

}  // namespace

MemoryEstimate estimate_memory(const ModelDescription& model, const RankSize& rank) { return Estimator(model, rank)(); }

}  // namespace tradewind::checkpoint
