#include "common/checkpoint/generations/datasets.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/class_table.h"
#include "common/checkpoint/generations/edges.h"
#include "common/checkpoint/generations/ensemble.h"
#include "common/checkpoint/generations/hierarchy.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/checkpoint/generations/transport.h"
#include "common/checkpoint/generations/truncation.h"
#include "common/checkpoint/input_columns.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

using Texts = std::vector<std::string>;

bool holds(const Texts& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Texts texts_of(const Node& list) {
  Texts out;
  for (const Node& item : list.items()) {
    if (holds(out, item.as_string()))
      throw UserError("the dataset " + item.as_string() + " is named twice", list.path());
    out.push_back(item.as_string());
  }
  return out;
}

// Since 0.13 the model lists its datasets; 0.12 keeps a table of nodes for each; before there is one, called data.
Texts dataset_names(const Node& model) {
  if (const auto list = model.find("dataset_names")) return texts_of(*list);
  const auto nodes = model.find("node_attributes");
  if (!nodes || nodes->class_name() != "torch.nn.modules.container.ModuleDict") return {"data"};
  Texts names;
  for (const auto& entry : nodes->entries()) names.push_back(entry.first);
  return names;
}

// Since 0.15 datasets are routed; before, all of them come in and go out.
Texts routed(const Node& model, std::string_view list, const Texts& all) {
  const auto found = model.find(list);
  if (!found) return all;
  Texts names = texts_of(*found);
  for (const std::string& name : names)
    if (!holds(all, name))
      throw UserError("the dataset " + name + " is none of the model's: " + listed(all), found->path());
  return names;
}

ResidualDescription find_residual(const Scope& scope, const ModelSizes& sizes) {
  if (scope.generation.skip_is_implicit) {
    if (auto truncation = find_truncation(scope.model, sizes)) return *std::move(truncation);
    return SkipResidualDescription{};
  }
  return read_residual(by_paths(scope.model, paths::residual, scope.names), sizes);
}

struct FeatureRow {
  std::string_view class_name;
  TargetFeature feature;
};
constexpr std::array<FeatureRow, 5> kTargetFeatures = {{
    {"anemoi.models.layers.target_features.EncodedDataFeature", TargetFeature::encoded_data},
    {"anemoi.models.layers.target_features.PrognosticsFeature", TargetFeature::prognostics},
    {"anemoi.models.layers.target_features.InputForcingsFeature", TargetFeature::forcings},
    {"anemoi.models.layers.target_features.CoordinatesFeature", TargetFeature::coordinates},
    {"anemoi.models.layers.target_features.TrainableParametersFeature", TargetFeature::trainable_parameters},
}};

const std::vector<TargetFeature> kEncodedData = {TargetFeature::encoded_data};

std::vector<TargetFeature> find_target_features(const Scope& scope) {
  const auto targets = scope.model.find("decoders_target_input");
  if (!targets) return kEncodedData;
  const Node composite = targets->at(scope.names.decoder);
  require_class(composite, "target feature", {"anemoi.models.layers.target_features.CompositeTargetFeature"});
  refuse_unknown_attributes(composite);
  std::vector<TargetFeature> features;
  for (const Node& node : composite.at("features").items())
    features.push_back(row_of(kTargetFeatures, node, "decoder target feature").feature);
  if (features.empty()) throw UserError("a decoder without target features", composite.path());
  return features;
}

// Columns of the decoder's destination rows; reads what the features need. encoded: see read_decoder.
std::int64_t target_channels(const Scope& scope, std::int64_t encoded, const std::vector<TargetFeature>& features,
                             DatasetDescription& out) {
  std::int64_t channels = 0;
  for (const TargetFeature feature : features) {
    switch (feature) {
      case TargetFeature::encoded_data:
        if (encoded == 0) {
          throw UserError("the decoder of the dataset " + out.name +
                              " starts from what an encoder makes of it, and no encoder reads it",
                          scope.model.path(), "anemoi-models makes no such model; export the checkpoint again");
        }
        channels += encoded;
        break;
      case TargetFeature::prognostics:
        channels += out.input_steps * static_cast<std::int64_t>(out.prognostic_input.size());
        break;
      case TargetFeature::forcings:
        out.forcing_input = columns_of(by_paths(scope.model, paths::forcing_input, scope.names), out.input_variables);
        channels += out.input_steps * static_cast<std::int64_t>(out.forcing_input.size());
        break;
      case TargetFeature::coordinates:
        channels += 4;
        break;
      case TargetFeature::trainable_parameters:
        channels += node_columns(out.nodes) - 4;
        break;
    }
  }
  return channels;
}

std::vector<BoundingDescription> find_boundings(const Scope& scope, const ModelSizes& sizes, Refusals& refusals) {
  std::vector<BoundingDescription> out;
  if (scope.generation.has_no_boundings) return out;
  const Node list = by_paths(scope.model, paths::boundings, scope.names);
  require_class(list, "list of boundings", {"torch.nn.modules.container.ModuleList"});
  for (const Node& bounding : modules_in_order(list))
    attempt(refusals, [&] { out.push_back(read_bounding(bounding, sizes)); });
  return out;
}

// `inverse` processors are stored in the order in which they are applied.
std::vector<Node> find_processors(const Node& root, const Paths& paths, bool inverse, const Scope& scope) {
  const Node owner = by_paths(root, paths, scope.names);
  require_class(owner, "pre-processors", {"anemoi.models.preprocessing.Processors"});
  refuse_unknown_attributes(owner);
  if (const Node direction = owner.at("inverse"); direction.as_bool() != inverse) {
    throw UserError("pre-processors applied in the wrong direction", direction.path());
  }
  const Node processors = owner.at("processors");
  require_class(processors, "table of pre-processors", {"torch.nn.modules.container.ModuleDict"});
  std::vector<Node> out;
  for (auto& [name, node] : modules_by_name(processors)) out.push_back(std::move(node));
  return out;
}

// Both directions hold the same objects, the inverse one in reverse.
void find_preprocessors(const Node& root, const Scope& scope, const ModelSizes& sizes, DatasetDescription& out,
                        Refusals& refusals) {
  const auto forward = find_processors(root, paths::preprocessors, false, scope);
  const auto inverse = find_processors(root, paths::postprocessors, true, scope);
  const auto same = [](const Node& a, const Node& b) { return &a.value() == &b.value(); };
  if (!std::equal(forward.begin(), forward.end(), inverse.rbegin(), inverse.rend(), same)) {
    throw UserError("the post-processors are not the pre-processors in reverse order", "post_processors",
                    "the checkpoint is damaged; export it again");
  }
  const auto read = [&](const Node& node, std::vector<PreprocessorDescription>& into) {
    attempt(refusals, [&] { into.push_back(read_preprocessor(node, scope, sizes)); });
  };
  for (const Node& node : forward) read(node, out.preprocessors);
  for (const Node& node : inverse) read(node, out.postprocessors);
}

ModelSizes sizes_of(const DatasetDescription& dataset) {
  return {dataset.input_steps, dataset.input_variables, dataset.output_variables, dataset.nodes.count};
}

}  // namespace

std::vector<DatasetNames> find_datasets(const Node& model) {
  const Texts all = dataset_names(model);
  if (all.empty()) throw UserError("a model without datasets", model.path());
  const Texts inputs = routed(model, "input_datasets", all), targets = routed(model, "target_datasets", all);
  std::vector<DatasetNames> out;
  for (const std::string& name : all) {
    DatasetNames& names = out.emplace_back();
    names.dataset = names.data = names.encoder = names.decoder = name;
    names.encoded = holds(inputs, name);
    names.decoded = holds(targets, name);
    if (!names.encoded && !names.decoded)
      throw UserError("the dataset " + name + " has neither an encoder nor a decoder", model.path());
    if (const auto data = model.find("_graph_name_data")) names.data = data->as_string();
    names.hidden = level_names(model).front();
    const auto route = [&](const char* table, std::string& key) {
      if (const auto routing = model.find(table)) key = routing->at(name).as_string();
    };
    if (names.encoded) route("dataset2encoder", names.encoder);
    if (names.decoded) route("dataset2decoder", names.decoder);
  }
  return out;
}

NodeDescription read_nodes(const Scope& scope, const std::string& name, const Paths& coordinates,
                           const Paths& trainable) {
  NodeDescription out;
  out.name = name;
  out.coordinates = floating_tensor(by_paths(scope.model, coordinates, scope.names), {kAnySize, 4});
  out.count = out.coordinates.shape[0];
  if (out.count < 1) throw UserError("no nodes", out.coordinates.path);
  out.trainable = read_trainable(by_paths(scope.model, trainable, scope.names), out.count);
  return out;
}

DatasetDescription read_dataset(const Scope& scope) {
  const auto size = [&](const Paths& paths) { return positive(by_paths(scope.model, paths, scope.names)); };
  const auto columns = [&](const Paths& paths, std::int64_t limit) {
    return columns_of(by_paths(scope.model, paths, scope.names), limit);
  };
  DatasetDescription out;
  out.name = scope.names.dataset;
  out.input_steps = size(paths::input_steps);
  if (scope.generation.output_has_time) out.output_steps = size(paths::output_steps);
  out.input_variables = size(paths::input_variables);
  out.output_variables = size(paths::output_variables);
  out.nodes = read_nodes(scope, scope.names.data, paths::data_coordinates, paths::data_trainable);
  out.prognostic_input = columns(paths::prognostic_input, out.input_variables);
  out.prognostic_output = columns(paths::prognostic_output, out.output_variables);
  out.input_features =
      is_transport(scope.model) ? read_transport_features(scope.model, out.output_steps) : read_input_features(scope);
  return out;
}

void read_surroundings(const Node& root, const Scope& scope, bool encoded, DatasetDescription& out,
                       Refusals& refusals) {
  const ModelSizes sizes = sizes_of(out);
  if (out.prognostic_input.size() != out.prognostic_output.size()) {
    throw UserError("different numbers of prognostic variables in input and output", scope.model.path());
  }
  attempt(refusals, [&] {
    out.residual = find_residual(scope, sizes);
    if (!encoded) out.residual = NoResidualDescription{};
  });
  attempt(refusals, [&] { out.boundings = find_boundings(scope, sizes, refusals); });
  attempt(refusals, [&] { find_preprocessors(root, scope, sizes, out, refusals); });
  if (is_transport(scope.model)) attempt(refusals, [&] { settle_transport_dataset(root, scope, sizes, out); });
}

MapperResult read_encoder(const Scope& scope, const DatasetDescription& dataset, const NodeDescription& hidden,
                          std::int64_t condition) {
  return read_mapper(by_paths(scope.model, paths::encoder, scope.names), scope,
                     {.graph = paths::encoder_graph,
                      .sources = dataset.nodes.count,
                      .destinations = hidden.count,
                      .source_channels = input_columns(dataset),
                      .destination_channels = node_columns(hidden),
                      .condition = condition});
}

DecoderDescription read_decoder(const Scope& scope, const NodeDescription& hidden, std::int64_t latent,
                                std::int64_t encoded, std::int64_t condition, DatasetDescription& dataset) {
  DecoderDescription out;
  out.target_features = find_target_features(scope);
  const bool hierarchical = scope.model.class_name() == kHierarchicalModel;
  if ((hierarchical || is_transport(scope.model)) && out.target_features != kEncodedData) {
    // which such a model passes over, whatever it was configured with
    throw UserError(std::string("a ") + (hierarchical ? "hierarchical" : "transport") +
                        " model whose decoder starts from other features than the encoded data",
                    scope.model.path(), "anemoi-models does not run it either");
  }
  out.mapper = read_mapper(by_paths(scope.model, paths::decoder, scope.names), scope,
                           {.graph = paths::decoder_graph,
                            .sources = hidden.count,
                            .destinations = dataset.nodes.count,
                            .source_channels = latent,
                            .destination_channels = target_channels(scope, encoded, out.target_features, dataset),
                            .output_channels = dataset.output_steps * dataset.output_variables,
                            .backward = true,
                            .condition = condition})
                   .description;
  return out;
}

}  // namespace tradewind::checkpoint
