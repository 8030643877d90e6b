// The whole model: which parts there are, how wide each must be, and that they fit each other. The parts themselves are
// read by generations/.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/describe.h"
#include "common/checkpoint/generations/edges.h"
#include "common/checkpoint/generations/ensemble.h"
#include "common/checkpoint/generations/families.h"
#include "common/checkpoint/generations/hierarchy.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/checkpoint/generations/summary.h"
#include "common/checkpoint/generations/truncation.h"
#include "common/checkpoint/input_columns.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"
#include "common/refusals.h"

namespace tradewind::checkpoint {
namespace {

std::string only_dataset(const std::vector<std::string>& names, const Node& where) {
  if (names.size() == 1) return names.front();
  throw UserError("a model of " + std::to_string(names.size()) + " datasets (" + listed(names) + ") is not supported",
                  where.path(), "models of one dataset are");
}

// Since 0.13 the model lists its datasets; 0.12 keeps a table of nodes for each; before there is one, called data.
std::string find_dataset(const Node& model) {
  std::vector<std::string> names;
  if (const auto list = model.find("dataset_names")) {
    for (const Node& name : list->items()) names.push_back(name.as_string());
    return only_dataset(names, *list);
  }
  const auto nodes = model.find("node_attributes");
  if (!nodes || nodes->class_name() != "torch.nn.modules.container.ModuleDict") return "data";
  for (const auto& entry : nodes->entries()) names.push_back(entry.first);
  return only_dataset(names, *nodes);
}

Names find_names(const Node& model) {
  Names names;
  names.dataset = names.data = names.encoder = names.decoder = find_dataset(model);
  if (const auto data = model.find("_graph_name_data")) names.data = data->as_string();
  names.hidden = level_names(model).front();
  for (const char* list : {"input_datasets", "target_datasets"}) {
    const auto routed = model.find(list);
    if (!routed) continue;
    const auto items = routed->items();
    if (items.size() != 1 || items.front().as_string() != names.dataset) {
      throw UserError("the model's one dataset is not its own input and output", routed->path());
    }
  }
  if (const auto routing = model.find("dataset2encoder")) names.encoder = routing->at(names.dataset).as_string();
  if (const auto routing = model.find("dataset2decoder")) names.decoder = routing->at(names.dataset).as_string();
  return names;
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

ResidualDescription find_residual(const Scope& scope, const ModelSizes& sizes) {
  if (scope.generation.skip_is_implicit) {
    if (auto truncation = find_truncation(scope.model, sizes)) return *std::move(truncation);
    return SkipResidualDescription{};
  }
  return read_residual(by_paths(scope.model, paths::residual, scope.names), sizes);
}

// Where it is not said: hierarchical models had none.
bool find_latent_skip(const Scope& scope) {
  if (scope.generation.latent_skip_is_implicit) return scope.model.class_name() != kHierarchicalModel;
  return scope.model.at("latent_skip").as_bool();
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
  for (const Node& node : composite.at("features").items()) {
    const std::string name = node.class_name();
    const auto* row = std::find_if(kTargetFeatures.begin(), kTargetFeatures.end(),
                                   [&](const FeatureRow& each) { return each.class_name == name; });
    if (row == kTargetFeatures.end()) {
      std::string known;
      for (const FeatureRow& each : kTargetFeatures) add_to_list(known, each.class_name);
      refuse_class(node, "decoder target feature", known);
    }
    refuse_unknown_attributes(node);
    features.push_back(row->feature);
  }
  if (features.empty()) throw UserError("a decoder without target features", composite.path());
  return features;
}

// Columns of the decoder's destination rows; reads what the features need.
std::int64_t target_channels(const Scope& scope, std::int64_t encoded, const std::vector<TargetFeature>& features,
                             DatasetDescription& out) {
  std::int64_t channels = 0;
  for (const TargetFeature feature : features) {
    switch (feature) {
      case TargetFeature::encoded_data:
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

LatentAggregation find_aggregation(const Scope& scope) {
  const auto aggregator = scope.model.find("latent_aggregator");
  if (!aggregator) return LatentAggregation::sum;
  const std::string sum = "anemoi.models.layers.aggregator.SumAggregator";
  require_class(*aggregator, "latent aggregator", {sum, "anemoi.models.layers.aggregator.MeanAggregator"});
  refuse_unknown_attributes(*aggregator);
  return aggregator->class_name() == sum ? LatentAggregation::sum : LatentAggregation::mean;
}

// What the dataset is before its layers: its nodes, columns and times.
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
  out.input_features = read_input_features(scope);
  return out;
}

MapperResult read_encoder(const Scope& scope, const DatasetDescription& dataset, const NodeDescription& hidden) {
  return read_mapper(by_paths(scope.model, paths::encoder, scope.names), scope,
                     {.graph = paths::encoder_graph,
                      .sources = dataset.nodes.count,
                      .destinations = hidden.count,
                      .source_channels = input_columns(dataset),
                      .destination_channels = node_columns(hidden)});
}

DecoderDescription read_decoder(const Scope& scope, const MapperResult& encoded, const NodeDescription& hidden,
                                DatasetDescription& dataset) {
  DecoderDescription out;
  out.target_features = find_target_features(scope);
  if (scope.model.class_name() == kHierarchicalModel && out.target_features != kEncodedData) {
    // which such a model passes over, whatever it was configured with
    throw UserError("a hierarchical model whose decoder starts from other features than the encoded data",
                    scope.model.path(), "anemoi-models does not run it either");
  }
  const std::int64_t channels = encoded.source_channels > 0 ? encoded.source_channels : input_columns(dataset);
  out.mapper = read_mapper(by_paths(scope.model, paths::decoder, scope.names), scope,
                           {.graph = paths::decoder_graph,
                            .sources = hidden.count,
                            .destinations = dataset.nodes.count,
                            .source_channels = encoded.output_channels,
                            .destination_channels = target_channels(scope, channels, out.target_features, dataset),
                            .output_channels = dataset.output_steps * dataset.output_variables,
                            .backward = true})
                   .description;
  return out;
}

void read_layers(const Scope& scope, ModelDescription& out) {
  DatasetDescription& dataset = out.datasets.front();
  const NodeDescription& hidden = out.levels.front();
  MapperResult encoded = read_encoder(scope, dataset, hidden);
  out.aggregation = find_aggregation(scope);
  if (out.class_name == kEnsembleModel) {
    out.noise = read_injector(scope.model.at("noise_injector"), {hidden.count, encoded.output_channels});
  }
  if (out.class_name == kHierarchicalModel) {
    out.trunk = read_hierarchy(scope, out.levels, encoded.output_channels, find_latent_skip(scope));
  } else {
    out.latent_skip = find_latent_skip(scope);
    out.trunk.emplace_back(ProcessStage{
        .level = 0,
        .processor = read_processor(by_paths(scope.model, paths::processor, scope.names), scope,
                                    {.graph = paths::processor_graph,
                                     .nodes = hidden.count,
                                     .channels = encoded.output_channels,
                                     .condition = out.noise && !out.noise->injection ? out.noise->channels : 0})});
  }
  dataset.decoder = read_decoder(scope, encoded, hidden, dataset);
  dataset.encoder = EncoderDescription{std::move(encoded.description)};
}

// What no part can be read without is thrown at once, what the parts refuse is collected.
ModelDescription describe_root(const Node& root, Refusals& refusals) {
  require_class(root, "checkpoint", {"anemoi.models.interface.AnemoiModelInterface"});
  refuse_unknown_attributes(root);
  const Node model = by_paths(root, paths::model);
  require_class(
      model, "model",
      {"anemoi.models.models.encoder_processor_decoder.AnemoiModelEncProcDec", kEnsembleModel, kHierarchicalModel});
  refuse_unknown_attributes(model);
  const Scope scope{detect_generation(model), find_names(model), model};

  ModelDescription out;
  out.latent_skip = false;
  out.class_name = model.class_name();
  out.generation = scope.generation.name;
  out.output_has_time = scope.generation.output_has_time;
  for (const char* table : {"node_attributes.{dataset}", "node_attributes"}) {
    const auto nodes = find_by_paths(model, {"nodes", {table}, "trainable_tensors"}, scope.names);
    if (nodes) refuse_unknown_attributes(*nodes);
  }
  out.datasets.push_back(read_dataset(scope));
  for (const std::string& name : level_names(model)) {
    Scope level = scope;
    level.names.hidden = name;
    out.levels.push_back(read_nodes(level, name, paths::hidden_coordinates, paths::hidden_trainable));
  }
  DatasetDescription& dataset = out.datasets.front();
  const ModelSizes sizes = sizes_of(dataset);
  attempt(refusals, [&] { read_layers(scope, out); });
  attempt(refusals, [&] { dataset.residual = find_residual(scope, sizes); });
  if (dataset.prognostic_input.size() != dataset.prognostic_output.size()) {
    throw UserError("different numbers of prognostic variables in input and output", model.path());
  }
  attempt(refusals, [&] { dataset.boundings = find_boundings(scope, sizes, refusals); });
  attempt(refusals, [&] { find_preprocessors(root, scope, sizes, dataset, refusals); });
  out.parameters = count_parameters(model);
  return out;
}

std::string without_file(const std::string& where, const std::string& file) {
  return !file.empty() && where.starts_with(file + ": ") ? where.substr(file.size() + 2) : where;
}

// One for each place, those of the first list first; what many places share is said once.
Refusals distinct(const Refusals& all) {
  Refusals out;
  std::set<std::string> places;
  std::vector<std::size_t> more;
  for (const Refusal& each : all) {
    if (!places.insert(each.where).second) continue;
    const auto alike = std::find_if(out.begin(), out.end(), [&](const Refusal& other) {
      return other.what == each.what && other.remedy == each.remedy;
    });
    if (alike == out.end()) {
      out.push_back(each);
      more.push_back(0);
    } else {
      ++more[static_cast<std::size_t>(alike - out.begin())];
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (more[i] > 0) out[i].what += " (there, and in " + std::to_string(more[i]) + " more places)";
  }
  return out;
}

}  // namespace

ModelDescription describe(const Tree& tree) {
  const std::string file = tree.archive() ? tree.archive()->path() : std::string();
  Refusals refusals;
  ModelDescription out;
  attempt(refusals, [&] { out = describe_root(tree.root(), refusals); });
  if (refusals.empty()) return out;
  attempt(refusals, [&] {
    for (Refusal& each : survey(tree.root())) refusals.push_back(std::move(each));
  });
  for (Refusal& each : refusals) each.where = without_file(each.where, file);
  refusals = distinct(refusals);
  for (Refusal& each : refusals) {
    if (!file.empty()) each.where = each.where.empty() ? file : file + ": " + each.where;
  }
  throw Refused(std::move(refusals));
}

}  // namespace tradewind::checkpoint
