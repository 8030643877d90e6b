#include "common/checkpoint/generations/paths.h"

#include "common/checkpoint/generations/attributes.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace paths {

const Paths preprocessors = {"pre-processors", {"pre_processors.{dataset}", "pre_processors"}, "inverse"};
const Paths postprocessors = {"post-processors", {"post_processors.{dataset}", "post_processors"}, "inverse"};
const Paths tendency_postprocessors = {"post-processors of tendencies", {"post_processors_tendencies.{dataset}"}};
const Paths model = {"model", {"model"}};

const Paths input_steps = {"number of input steps", {"n_step_input", "multi_step"}};
const Paths output_steps = {"number of output steps", {"n_step_output"}};
const Paths input_variables = {"number of input variables", {"num_input_channels.{dataset}", "num_input_channels"}};
const Paths output_variables = {"number of output variables", {"num_output_channels.{dataset}", "num_output_channels"}};
const Paths prognostic_input = {"input columns of prognostic variables",
                                {"_internal_input_idx.{dataset}", "_internal_input_idx"}};
const Paths prognostic_output = {"output columns of prognostic variables",
                                 {"_internal_output_idx.{dataset}", "_internal_output_idx"}};
const Paths forcing_input = {"input columns of forcings", {"_forcing_input_idx.{dataset}"}};

// 0.13: one table of nodes, data nodes named after the dataset; 0.12: one per dataset; 0.2: buffers of the model.
const Paths data_coordinates = {
    "coordinates of the data nodes",
    {"node_attributes.latlons_{data}", "node_attributes.{dataset}.latlons_{data}", "latlons_data"}};
const Paths hidden_coordinates = {
    "coordinates of the hidden nodes",
    {"node_attributes.latlons_{hidden}", "node_attributes.{dataset}.latlons_{hidden}", "latlons_hidden"}};
const Paths data_trainable = {
    "trainable values of the data nodes",
    {"node_attributes.trainable_tensors.{data}.trainable",
     "node_attributes.{dataset}.trainable_tensors.{data}.trainable", "trainable_data.trainable"}};
const Paths hidden_trainable = {
    "trainable values of the hidden nodes",
    {"node_attributes.trainable_tensors.{hidden}.trainable",
     "node_attributes.{dataset}.trainable_tensors.{hidden}.trainable", "trainable_hidden.trainable"}};

// 0.15: by encoder name; 0.12: by dataset; before: the mapper itself.
const Paths encoder = {"encoder", {"encoder.{encoder}", "encoder"}, "proc"};
const Paths processor = {"processor", {"processor"}};
const Paths decoder = {"decoder", {"decoder.{decoder}", "decoder"}, "proc"};
// 0.12: a provider per dataset; 0.11.3: one provider; before: in the mapper.
const Paths encoder_graph = {"edges of the encoder",
                             {"encoder_graph_provider.{dataset}", "encoder_graph_provider", "encoder"},
                             "edge_index_base"};
const Paths processor_graph = {"edges of the processor", {"processor_graph_provider", "processor"}, "edge_index_base"};
const Paths decoder_graph = {"edges of the decoder",
                             {"decoder_graph_provider.{dataset}", "decoder_graph_provider", "decoder"},
                             "edge_index_base"};

const Paths residual = {"residual connection", {"residual.{dataset}", "residual"}};
const Paths boundings = {"boundings", {"boundings.{dataset}", "boundings"}};

const Paths mapper_chunks = {
    .what = "number of chunks", .candidates = {"num_chunks", "proc.num_chunks"}, .first_wins = true};
// layer_norm_attention means the source's in 0.4 and the destination's from 0.5: the two full names never changed.
const Paths source_norm = {"layer norm of the sources", {"layer_norm_attention_src", "layer_norm1"}};
const Paths destination_norm = {"layer norm of the destinations", {"layer_norm_attention_dest", "layer_norm2"}};
// Before 0.5 the norm is the first layer of node_dst_mlp (0.4 has an alias for it).
const Paths mapper_mlp_norm = {"layer norm before the MLP", {"layer_norm_mlp_dst"}};
const Paths attention_norm = {"layer norm before the attention", {"layer_norm_attention", "layer_norm1"}};
const Paths mlp_norm = {"layer norm before the MLP", {"layer_norm_mlp", "layer_norm2"}};
const Paths fused_qkv = {"fused projection of query, key and value", {"lin_qkv"}};

const Paths noise_matrix = {"matrix of the noise, or its absence", {"noise_graph_provider", "noise_projector"}};

}  // namespace paths

namespace {

std::string filled(std::string_view pattern, const Names& names) {
  const std::pair<std::string_view, const std::string&> fields[] = {{"{dataset}", names.dataset},
                                                                    {"{data}", names.data},
                                                                    {"{hidden}", names.hidden},
                                                                    {"{encoder}", names.encoder},
                                                                    {"{decoder}", names.decoder}};
  std::string text(pattern);
  for (const auto& [field, value] : fields) {
    if (const auto at = text.find(field); at != std::string::npos) {
      text.replace(at, field.size(), value);
      break;
    }
  }
  return text;
}

// One component at a time, filled after the split: names of datasets may hold dots.
std::optional<Node> follow(Node node, std::string_view path, const Names& names) {
  while (!path.empty()) {
    const auto dot = path.find('.');
    const auto next = find_attribute(node, filled(path.substr(0, dot), names));
    if (!next) return std::nullopt;
    node = *next;
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return node;
}

}  // namespace

std::optional<Node> find_by_paths(const Node& from, const Paths& paths, const Names& names) {
  std::optional<Node> found;
  for (const std::string_view candidate : paths.candidates) {
    const auto node = follow(from, candidate, names);
    if (!node || (!paths.proof.empty() && !find_attribute(*node, paths.proof))) continue;
    if (!found) {
      found = node;
      if (paths.first_wins) break;
    } else if (&found->value() != &node->value() && !node->path().starts_with(found->path()) &&
               !found->path().starts_with(node->path())) {
      throw UserError(
          "two different values for the " + std::string(paths.what) + ": " + found->path() + " and " + node->path(),
          from.path(), "the checkpoint mixes two layouts; export it again with one version of anemoi-models");
    }
  }
  return found;
}

Node by_paths(const Node& from, const Paths& paths, const Names& names) {
  if (const auto node = find_by_paths(from, paths, names)) return *node;
  std::string tried;
  for (const std::string_view candidate : paths.candidates) {
    if (!tried.empty()) tried += ", ";
    for (std::string_view path = candidate; !path.empty();) {
      const auto dot = path.find('.');
      tried += filled(path.substr(0, dot), names);
      path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
      if (!path.empty()) tried += '.';
    }
    if (!paths.proof.empty()) tried += " with " + std::string(paths.proof);
  }
  throw UserError("the checkpoint holds no " + std::string(paths.what), from.path(), "looked for " + tried);
}

}  // namespace tradewind::checkpoint
