#include "common/checkpoint/generations/places.h"

#include "common/checkpoint/generations/attributes.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace places {

const Place preprocessors = {"pre-processors", {"pre_processors.{dataset}", "pre_processors"}, "inverse"};
const Place postprocessors = {"post-processors", {"post_processors.{dataset}", "post_processors"}, "inverse"};
const Place model = {"model", {"model"}};

const Place input_steps = {"number of input steps", {"n_step_input", "multi_step"}};
const Place output_steps = {"number of output steps", {"n_step_output"}};
const Place input_variables = {"number of input variables", {"num_input_channels.{dataset}", "num_input_channels"}};
const Place output_variables = {"number of output variables", {"num_output_channels.{dataset}", "num_output_channels"}};
const Place prognostic_input = {"input columns of prognostic variables",
                                {"_internal_input_idx.{dataset}", "_internal_input_idx"}};
const Place prognostic_output = {"output columns of prognostic variables",
                                 {"_internal_output_idx.{dataset}", "_internal_output_idx"}};
const Place forcing_input = {"input columns of forcings", {"_forcing_input_idx.{dataset}"}};

// 0.13: one table of nodes, data nodes named after the dataset; 0.12: one per dataset; 0.2: buffers of the model.
const Place data_coordinates = {
    "coordinates of the data nodes",
    {"node_attributes.latlons_{data}", "node_attributes.{dataset}.latlons_{data}", "latlons_data"}};
const Place hidden_coordinates = {
    "coordinates of the hidden nodes",
    {"node_attributes.latlons_{hidden}", "node_attributes.{dataset}.latlons_{hidden}", "latlons_hidden"}};
const Place data_trainable = {
    "trainable values of the data nodes",
    {"node_attributes.trainable_tensors.{data}.trainable",
     "node_attributes.{dataset}.trainable_tensors.{data}.trainable", "trainable_data.trainable"}};
const Place hidden_trainable = {
    "trainable values of the hidden nodes",
    {"node_attributes.trainable_tensors.{hidden}.trainable",
     "node_attributes.{dataset}.trainable_tensors.{hidden}.trainable", "trainable_hidden.trainable"}};

// 0.15: by encoder name; 0.12: by dataset; before: the mapper itself.
const Place encoder = {"encoder", {"encoder.{encoder}", "encoder"}, "proc"};
const Place processor = {"processor", {"processor"}};
const Place decoder = {"decoder", {"decoder.{decoder}", "decoder"}, "proc"};
// 0.12: a provider per dataset; 0.11.3: one provider; before: in the mapper.
const Place encoder_graph = {"edges of the encoder",
                             {"encoder_graph_provider.{dataset}", "encoder_graph_provider", "encoder"},
                             "edge_index_base"};
const Place processor_graph = {"edges of the processor", {"processor_graph_provider", "processor"}, "edge_index_base"};
const Place decoder_graph = {"edges of the decoder",
                             {"decoder_graph_provider.{dataset}", "decoder_graph_provider", "decoder"},
                             "edge_index_base"};

const Place residual = {"residual connection", {"residual.{dataset}", "residual"}};
const Place boundings = {"boundings", {"boundings.{dataset}", "boundings"}};

const Place mapper_chunks = {
    .what = "number of chunks", .candidates = {"num_chunks", "proc.num_chunks"}, .first_wins = true};
// layer_norm_attention means the source's in 0.4 and the destination's from 0.5: the two full names never changed.
const Place source_norm = {"layer norm of the sources", {"layer_norm_attention_src", "layer_norm1"}};
const Place destination_norm = {"layer norm of the destinations", {"layer_norm_attention_dest", "layer_norm2"}};
// Before 0.5 the norm is the first layer of node_dst_mlp (0.4 has an alias for it).
const Place mapper_mlp_norm = {"layer norm before the MLP", {"layer_norm_mlp_dst"}};
const Place attention_norm = {"layer norm before the attention", {"layer_norm_attention", "layer_norm1"}};
const Place mlp_norm = {"layer norm before the MLP", {"layer_norm_mlp", "layer_norm2"}};
const Place fused_qkv = {"fused projection of query, key and value", {"lin_qkv"}};

const Place noise_matrix = {"matrix of the noise, or its absence", {"noise_graph_provider", "noise_projector"}};

}  // namespace places

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

std::optional<Node> find_place(const Node& from, const Place& place, const Names& names) {
  std::optional<Node> found;
  for (const std::string_view candidate : place.candidates) {
    const auto node = follow(from, candidate, names);
    if (!node || (!place.proof.empty() && !find_attribute(*node, place.proof))) continue;
    if (!found) {
      found = node;
      if (place.first_wins) break;
    } else if (&found->value() != &node->value() && !node->path().starts_with(found->path()) &&
               !found->path().starts_with(node->path())) {
      throw UserError(
          "two different values for the " + std::string(place.what) + ": " + found->path() + " and " + node->path(),
          from.path(), "the checkpoint mixes two layouts; export it again with one version of anemoi-models");
    }
  }
  return found;
}

Node at_place(const Node& from, const Place& place, const Names& names) {
  if (const auto node = find_place(from, place, names)) return *node;
  std::string tried;
  for (const std::string_view candidate : place.candidates) {
    if (!tried.empty()) tried += ", ";
    for (std::string_view path = candidate; !path.empty();) {
      const auto dot = path.find('.');
      tried += filled(path.substr(0, dot), names);
      path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
      if (!path.empty()) tried += '.';
    }
    if (!place.proof.empty()) tried += " with " + std::string(place.proof);
  }
  throw UserError("the checkpoint holds no " + std::string(place.what), from.path(), "looked for " + tried);
}

}  // namespace tradewind::checkpoint
