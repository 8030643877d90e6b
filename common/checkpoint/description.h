// What a checkpoint's tree means: the architecture, layer by layer, with the tensors of each. The one contract between
// the checkpoint reader (common, which builds it by the table of generations) and the model (worker, which builds its
// layers from it). Old class paths, attribute names and layouts are resolved before this point: nothing below knows
// which anemoi-models version wrote the file. Plain values; tensors view the mapped file, which must outlive them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/checkpoint/layer_description.h"
#include "common/checkpoint/tensor_descriptor.h"
#include "common/checkpoint/transport_description.h"

namespace tradewind::checkpoint {

// Rows of the nodes: attributes (n, 4) = sin lat, sin lon, cos lat, cos lon; trainable (n, k) when there is one.
struct NodeDescription {
  std::string name;
  std::int64_t count = 0;
  TensorDescriptor coordinates;
  std::optional<TensorDescriptor> trainable;
  bool operator==(const NodeDescription&) const = default;
};

// A bipartite (or square) graph. edge_index (2, e): row 0 source, row 1 destination, any integer type, in any order
// unless `sorted_by_destination`. attributes (e, d) and trainable (e, k) belong to the columns of edge_index in the
// same order; when `trainable_order` is given, row i of the true trainable tensor is row trainable_order[i] of
// `trainable`.
struct GraphDescription {
  std::int64_t sources = 0, destinations = 0, edges = 0;
  TensorDescriptor edge_index;
  TensorDescriptor attributes;
  std::optional<TensorDescriptor> trainable;
  std::optional<TensorDescriptor> trainable_order;
  bool sorted_by_destination = false;
  bool operator==(const GraphDescription&) const = default;
};

// Graph attention block: alpha = softmax over the edges of a destination of q . (k + e) / sqrt(head),
// h = projection(sum alpha (v + e) + self(x_dst)); x = x_dst + h; x = x + mlp(norm_mlp(x)).
// For a processor block source and destination are the same rows, and norm_destination is the norm of both.
struct GraphTransformerBlockDescription {
  std::int64_t heads = 0, head_size = 0;
  LinearDescription query, key, value, edge, self, projection;
  std::optional<NormDescription> norm_source;
  NormDescription norm_destination, norm_mlp;
  std::optional<LayerNormDescription> query_norm, key_norm;  // over head_size
  std::optional<SequentialDescription> edge_mlp;             // before `edge`; absent when Identity
  SequentialDescription mlp;
  bool operator==(const GraphTransformerBlockDescription&) const = default;
};

// source_embedding is absent when it is Identity (backward mapper); extractor only in a backward mapper.
struct GraphTransformerMapperDescription {
  std::optional<LinearDescription> source_embedding, destination_embedding;
  GraphTransformerBlockDescription block;
  std::optional<SequentialDescription> extractor;
  GraphDescription graph;
  std::int64_t chunks = 1;
  bool operator==(const GraphTransformerMapperDescription&) const = default;
};

// Message passing block: e' = e + edge_mlp([x_dst, x_src, e]) for every edge, s = sum of e' over a destination's edges,
// x' = x_dst + node_mlp([x_dst, s]). All are `channels` wide; both MLPs begin with a linear or a gated layer.
struct GraphConvBlockDescription {
  SequentialDescription edge_mlp, node_mlp;
  bool operator==(const GraphConvBlockDescription&) const = default;
};

// Edges begin as edge_embedding(attributes). Embeddings of nodes are absent, and the extractor is there, in a backward
// mapper. A forward mapper makes of its sources source_embedding(x), and with update_sources further
// x + node_mlp([x, x]).
struct GraphConvMapperDescription {
  std::int64_t channels = 0;
  std::optional<SequentialDescription> source_embedding, destination_embedding;
  SequentialDescription edge_embedding;
  GraphConvBlockDescription block;
  bool update_sources = false;
  std::optional<SequentialDescription> extractor;
  GraphDescription graph;
  std::int64_t chunks = 1;
  bool operator==(const GraphConvMapperDescription&) const = default;
};

// Multi-head attention of queries to keys, in the stored order of their rows. With d = i + o - j for query i and key j,
// where o is 0, or with `aligned_to_end` the number of keys less that of queries: the key is seen when |d| <= window
// (all keys when absent). Scores are scaled by 1/sqrt(head_size), then softcap * tanh(s / softcap) when softcap > 0,
// then - slope * |d| per head when alibi_slopes is given. A query that sees no key gets 0. Then the projection.
struct AttentionDescription {
  std::int64_t heads = 0, head_size = 0;
  LinearDescription query, key, value, projection;
  std::optional<LayerNormDescription> query_norm, key_norm;  // over head_size
  std::optional<std::int64_t> window;
  double softcap = 0;
  std::optional<TensorDescriptor> alibi_slopes;  // (heads)
  bool rotary = false;  // base 10000, not interleaved, queries and keys both at positions from 0
  bool aligned_to_end = false;
  bool operator==(const AttentionDescription&) const = default;
};

// Self-attention over the hidden rows: x += attention(norm_attention(x)); x += mlp(norm_mlp(x)).
struct TransformerBlockDescription : AttentionDescription {
  NormDescription norm_attention, norm_mlp;
  SequentialDescription mlp;
  bool operator==(const TransformerBlockDescription&) const = default;
};
struct TransformerProcessorDescription {
  std::vector<TransformerBlockDescription> blocks;
  std::int64_t chunks = 1;
  bool operator==(const TransformerProcessorDescription&) const = default;
};
// Graph transformer blocks over the edges among the hidden rows.
struct GraphTransformerProcessorDescription {
  std::vector<GraphTransformerBlockDescription> blocks;
  GraphDescription graph;
  bool operator==(const GraphTransformerProcessorDescription&) const = default;
};
// Message passing blocks over the edges among the hidden rows; e' of a block is e of the next.
struct GraphConvProcessorDescription {
  std::int64_t channels = 0;
  SequentialDescription edge_embedding;
  std::vector<GraphConvBlockDescription> blocks;
  GraphDescription graph;
  bool operator==(const GraphConvProcessorDescription&) const = default;
};

// y = norm_destination(embedding(destination)); y += attention(y, norm_source(embedding(source)));
// y += mlp(norm_mlp(y)). source_embedding is absent in a backward mapper, extractor in a forward one.
struct TransformerMapperDescription {
  std::optional<LinearDescription> source_embedding;
  LinearDescription destination_embedding;
  AttentionDescription attention;
  NormDescription norm_source, norm_destination, norm_mlp;
  SequentialDescription mlp;
  std::optional<SequentialDescription> extractor;
  bool operator==(const TransformerMapperDescription&) const = default;
};

// As many destinations as sources: row i is layers(source row i), which is `inputs` wide.
struct PointWiseMapperDescription {
  std::int64_t inputs = 0;
  SequentialDescription layers;
  bool operator==(const PointWiseMapperDescription&) const = default;
};
// x = layer(x), in order.
struct PointWiseProcessorDescription {
  std::vector<SequentialDescription> layers;
  bool operator==(const PointWiseProcessorDescription&) const = default;
};

using ProcessorDescription = std::variant<TransformerProcessorDescription, GraphTransformerProcessorDescription,
                                          GraphConvProcessorDescription, PointWiseProcessorDescription>;
using MapperDescription = std::variant<GraphTransformerMapperDescription, GraphConvMapperDescription,
                                       TransformerMapperDescription, PointWiseMapperDescription>;

// What is added to the decoder's result on the prognostic columns: the input at time index `step` (negative from the
// end, -1 the latest).
struct SkipResidualDescription {
  std::int64_t step = -1;
  bool operator==(const SkipResidualDescription&) const = default;
};
// The same of the latest input without its fine scales: its rows multiplied by one matrix after the other, to a coarse
// grid and back. Each is as wide as the one before it is long, the first as wide and the last as long as the dataset
// has nodes; indices lie in range, those of compressed rows ascend.
struct TruncatedResidualDescription {
  std::vector<SparseDescriptor> matrices;
  bool operator==(const TruncatedResidualDescription&) const = default;
};
struct NoResidualDescription {
  bool operator==(const NoResidualDescription&) const = default;
};
using ResidualDescription = std::variant<SkipResidualDescription, TruncatedResidualDescription, NoResidualDescription>;

// Applied in order, in normalised space, on columns of the model output. y = relu(y - t) + t with a threshold t per
// column (none: 0); below t the slope is `slope`.
struct ReluBoundingDescription {
  std::vector<std::int64_t> columns;
  std::vector<float> thresholds;
  double slope = 0;
  bool operator==(const ReluBoundingDescription&) const = default;
};
// y is clamped to [minimum, maximum], outside of which the slope is `slope`; then multiplied by column `total`, if any,
// of which it is a fraction.
struct HardtanhBoundingDescription {
  std::vector<std::int64_t> columns;
  double minimum = 0, maximum = 1, slope = 0;
  std::optional<std::int64_t> total;
  bool operator==(const HardtanhBoundingDescription&) const = default;
};
using BoundingDescription = std::variant<ReluBoundingDescription, HardtanhBoundingDescription>;

// Pre-processing: steps applied to the model's input in order, and their inverses to its output in reverse order.
// x * multiply + add on the model input; (y - add) / multiply, a subtraction then a division, on the model output.
// One value per column of the model input (forward) and of the model output (inverse), float32, already gathered.
struct NormalizerDescription {
  std::vector<float> input_multiply, input_add, output_multiply, output_add;
  bool operator==(const NormalizerDescription&) const = default;
};

// Where `input` is missing (NaN) it becomes `value`, or what column `copied_from` holds; `output` becomes NaN where
// column `mask` was missing at the first input time. With masks_of_first_step the values to replace are at every time
// those of `mask` at the first input time.
struct ImputedColumn {
  std::optional<std::int64_t> input, output, mask, copied_from;
  double value = 0;
  bool operator==(const ImputedColumn&) const = default;
};
struct ImputerDescription {
  std::vector<ImputedColumn> columns;
  bool masks_of_first_step = false;
  bool operator==(const ImputerDescription&) const = default;
};

// Formulas, with p = parameter, forward and back:
// affine         x p + shift; (y - shift) / p
// atoms          x <= lower_atom + epsilon becomes lower_target, x >= upper_atom - epsilon upper_target; clamp to atoms
// box_cox        (x^p - 1) / p, log x when p is 0; max(0, y p + 1)^(1/p), exp y
// power          x^p, with tangent_above_one x p + 1 - p where x > 1; max(0, y)^(1/p), the tangent's inverse above 1
// square_root    x^(1/2); y^2
// atanh          atanh(tanh(p) (2 x - 1)) / p; clamp((tanh(p y) / tanh(p) + 1) / 2, 0, 1); p = 0: x; clamp(y, 0, 1)
// asinh          asinh(p x); sinh(y) / p
// log1p          log(1 + x); exp(y) - 1
// box_cox and power refuse x < 0 and NaN, or with clip_negative take max(0, x); not when `unchecked`, where box_cox
// also goes back without max(0, ...).
enum class Mapping { affine, atoms, box_cox, power, square_root, atanh, asinh, log1p };
struct RemappedColumn {
  std::optional<std::int64_t> input, output;
  Mapping mapping = Mapping::affine;
  double parameter = 1, shift = 0, epsilon = 0;
  std::optional<double> lower_atom, upper_atom, lower_target, upper_target;
  bool clip_negative = false, tangent_above_one = false, unchecked = false;
  bool operator==(const RemappedColumn&) const = default;
};
struct RemapperDescription {
  std::vector<RemappedColumn> columns;
  bool operator==(const RemapperDescription&) const = default;
};

// Only on the model output: limits, or a value (absent: NaN) where column `condition` is zero, or missing.
struct OutputLimitsDescription {
  std::vector<BoundingDescription> limits;
  bool operator==(const OutputLimitsDescription&) const = default;
};
struct ConditionalFillDescription {
  std::int64_t condition = 0;
  bool where_missing = false;  // else where it is 0
  std::vector<std::int64_t> columns;
  std::vector<std::optional<double>> values;
  bool operator==(const ConditionalFillDescription&) const = default;
};
using PreprocessorDescription = std::variant<NormalizerDescription, ImputerDescription, RemapperDescription,
                                             OutputLimitsDescription, ConditionalFillDescription>;

// What the rows that an encoder reads are made of, in order. Variables are normalised.
enum class InputFeature {
  variables,        // at every input time, oldest first
  target,           // output variables at every output time, as a sampler has them on their way
  residual,         // what the residual adds to the output, in the order of prognostic_input
  node_attributes,  // of the data nodes: coordinates, trainable values
  forecast_step,    // 0 in the first model call of a forecast, 1 in every later one
};

// What the decoder's destination rows are made of, in order. Variables are normalised, at every input time, oldest
// first.
enum class TargetFeature {
  encoded_data,  // what the encoder returns for its sources: its input, or what the encoder made of it
  prognostics,   // columns prognostic_input
  forcings,      // columns forcing_input
  coordinates,   // of the data nodes
  trainable_parameters,
};

// From a dataset's rows to the rows of hidden level 0, and back. hidden: what an encoder's destinations start from,
// where it is not what the level has for all.
struct EncoderDescription {
  MapperDescription mapper;
  std::optional<NodeDescription> hidden = {};
  bool operator==(const EncoderDescription&) const = default;
};
struct DecoderDescription {
  MapperDescription mapper;
  std::vector<TargetFeature> target_features = {TargetFeature::encoded_data};
  bool operator==(const DecoderDescription&) const = default;
};

// A set of variables on one grid: what comes in, what goes out, and how. Without an encoder its input only makes the
// rows that its decoder starts from; without a decoder it is only read.
struct DatasetDescription {
  std::string name;  // "data" in old files
  NodeDescription nodes;
  std::int64_t input_steps = 0, output_steps = 1;
  std::int64_t input_variables = 0, output_variables = 0;
  std::vector<InputFeature> input_features = {InputFeature::variables, InputFeature::node_attributes};
  std::optional<EncoderDescription> encoder;
  std::optional<DecoderDescription> decoder;
  ResidualDescription residual;
  std::optional<TendencyDescription> tendency;                    // absent: states come out
  std::vector<std::int64_t> prognostic_input, prognostic_output;  // columns, pairwise the same variable
  std::vector<std::int64_t> forcing_input;                        // columns; read when a target feature needs them
  std::vector<BoundingDescription> boundings;
  std::vector<PreprocessorDescription> preprocessors;   // applied to x in order
  std::vector<PreprocessorDescription> postprocessors;  // inverses applied to y in order
  bool operator==(const DatasetDescription&) const = default;
};

// A stage of the trunk: what happens among hidden rows between encoders and decoders, from level 0 to level 0. Rows x
// of `level` of ModelDescription::levels become processor(x), plus x with `skip`.
struct ProcessStage {
  std::size_t level = 0;
  ProcessorDescription processor;
  bool skip = false;
  bool operator==(const ProcessStage&) const = default;
};
// To the next level, whose rows become mapper(x, that level's nodes); x is kept for the stage that comes back.
struct DownStage {
  std::size_t level = 0;
  MapperDescription mapper;
  bool operator==(const DownStage&) const = default;
};
// From the next level's rows z: the rows of `level` become mapper(z, x) + x, with the x that was kept.
struct UpStage {
  std::size_t level = 0;
  MapperDescription mapper;
  bool operator==(const UpStage&) const = default;
};
using StageDescription = std::variant<ProcessStage, DownStage, UpStage>;

// How the latents that several encoders make of the rows of level 0 come together; of one encoder all are that latent.
// Concatenated, a row is as wide as all of them.
enum class LatentAggregation { sum, mean, concatenation };

// Random numbers of a model call: mlp(projection * deviation * z), z standard normal, as many rows as level 0 has or
// the projection columns. They come to the trunk as x = injection([x, noise]), or without injection as the condition of
// its norms.
struct NoiseDescription {
  std::int64_t rows = 0, channels = 0;  // drawn
  double deviation = 1;
  std::optional<SparseDescriptor> projection;  // (rows of level 0, rows)
  SequentialDescription mlp;
  std::optional<LinearDescription> injection;
  bool operator==(const NoiseDescription&) const = default;
};

struct ModelDescription {
  std::string class_name;                    // of the model in the tree
  std::string generation;                    // row of the table of generations that matched, e.g. "0.4"
  std::vector<DatasetDescription> datasets;  // at least one, in the model's order
  std::vector<NodeDescription> levels;       // of hidden nodes, at least one; encoders and decoders meet level 0
  std::vector<StageDescription> trunk;       // in order
  LatentAggregation aggregation = LatentAggregation::sum;
  std::vector<std::size_t> latents;  // datasets that are encoded, in the order in which their latents come together
  std::optional<NoiseDescription> noise;          // absent: no random numbers in a call of the network
  std::optional<TransportDescription> transport;  // absent: one call of the network is a step
  bool latent_skip = true;                        // level 0 after aggregation is added to it after the trunk
  bool output_has_time = true;                    // whether the reference's y carries a time axis
  std::int64_t parameters = 0;                    // number of trained values
  bool operator==(const ModelDescription&) const = default;
};

// The dataset of a model that has one; UserError for several.
const DatasetDescription& only_dataset(const ModelDescription& model);

// Calls f(name, mapper, sources, destinations) for every mapper, with the nodes that it connects: "encoder" and later
// "decoder", with a dataset's name where there are several; between them "down" and "up", with the finer level's name.
template <class F>
void for_each_mapper(const ModelDescription& model, const F& f) {
  const auto named = [&](const char* what, const DatasetDescription& dataset) {
    return model.datasets.size() == 1 ? std::string(what) : std::string(what) + " " + dataset.name;
  };
  for (const DatasetDescription& each : model.datasets) {
    if (each.encoder) f(named("encoder", each), each.encoder->mapper, each.nodes, model.levels.front());
  }
  for (const StageDescription& stage : model.trunk) {
    if (const auto* down = std::get_if<DownStage>(&stage)) {
      const NodeDescription& level = model.levels.at(down->level);
      f("down " + level.name, down->mapper, level, model.levels.at(down->level + 1));
    }
    if (const auto* up = std::get_if<UpStage>(&stage)) {
      const NodeDescription& level = model.levels.at(up->level);
      f("up " + level.name, up->mapper, model.levels.at(up->level + 1), level);
    }
  }
  for (const DatasetDescription& each : model.datasets) {
    if (each.decoder) f(named("decoder", each), each.decoder->mapper, model.levels.front(), each.nodes);
  }
}
// Calls f(processor, nodes) for every processor of the trunk, with the nodes of its level.
template <class F>
void for_each_processor(const ModelDescription& model, const F& f) {
  for (const StageDescription& stage : model.trunk) {
    if (const auto* process = std::get_if<ProcessStage>(&stage)) f(process->processor, model.levels.at(process->level));
  }
}

}  // namespace tradewind::checkpoint
