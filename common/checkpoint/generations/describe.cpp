// The whole model: which parts there are, how wide each must be, and that they fit each other. The parts themselves are
// read by generations/.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/generations/datasets.h"
#include "common/checkpoint/generations/describe.h"
#include "common/checkpoint/generations/ensemble.h"
#include "common/checkpoint/generations/families.h"
#include "common/checkpoint/generations/hierarchy.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/summary.h"
#include "common/checkpoint/generations/transport.h"
#include "common/checkpoint/input_columns.h"
#include "common/errors.h"
#include "common/refusals.h"

namespace tradewind::checkpoint {
namespace {

// Where it is not said: hierarchical models had none.
bool find_latent_skip(const Scope& scope) {
  if (scope.generation.latent_skip_is_implicit) return scope.model.class_name() != kHierarchicalModel;
  return scope.model.at("latent_skip").as_bool();
}

// A dataset together with the names by which it finds its parts.
using Scopes = std::vector<Scope>;

// What each encoder makes of the datasets that it reads; absent where none does.
using Encoded = std::vector<std::optional<MapperResult>>;

// The order is that of the encoders in the model's configuration, which the aggregator keeps.
std::vector<std::size_t> order_of(const Node& aggregator, const ModelDescription& model, const Encoded& encoded) {
  std::vector<std::size_t> order;
  const Node names = aggregator.at("source_names");
  for (const Node& name : names.items()) {
    const auto found = std::find_if(model.datasets.begin(), model.datasets.end(),
                                    [&](const DatasetDescription& each) { return each.name == name.as_string(); });
    const auto number = static_cast<std::size_t>(found - model.datasets.begin());
    if (found == model.datasets.end() || !encoded[number] ||
        std::find(order.begin(), order.end(), number) != order.end())
      throw UserError("the latents of the dataset " + name.as_string() + ", which the model does not have once",
                      names.path(), "the checkpoint is damaged; export it again");
    order.push_back(number);
  }
  const auto count = std::count_if(encoded.begin(), encoded.end(), [](const auto& each) { return each.has_value(); });
  if (static_cast<std::ptrdiff_t>(order.size()) != count)
    throw UserError("the latents of " + std::to_string(order.size()) + " datasets of " + std::to_string(count),
                    names.path(), "the checkpoint is damaged; export it again");
  return order;
}

// Sets how latents come together; returns the width of what comes of them. Before models had routed datasets, in 0.18,
// latents were added.
std::int64_t read_aggregation(const Node& model, const Encoded& encoded, ModelDescription& out) {
  const std::string in = "anemoi.models.layers.aggregator.";
  if (const auto aggregator = model.find("latent_aggregator")) {
    require_class(*aggregator, "latent aggregator",
                  {in + "SumAggregator", in + "MeanAggregator", in + "ConcatAggregator"});
    refuse_unknown_attributes(*aggregator);
    const std::string name = aggregator->class_name().substr(in.size());
    out.aggregation = name == "SumAggregator"    ? LatentAggregation::sum
                      : name == "MeanAggregator" ? LatentAggregation::mean
                                                 : LatentAggregation::concatenation;
    out.latents = order_of(*aggregator, out, encoded);
  } else {
    for (std::size_t i = 0; i < encoded.size(); ++i)
      if (encoded[i]) out.latents.push_back(i);
    if (out.latents.size() > 1 && model.has("dataset2encoder"))
      throw UserError("several encoders, and nothing that brings their latents together (latent_aggregator)",
                      model.path(), "the checkpoint is damaged; export it again");
  }
  if (out.latents.empty()) throw UserError("a model without an encoder", model.path());
  std::int64_t width = encoded[out.latents.front()]->output_channels;
  for (std::size_t i = 1; i < out.latents.size(); ++i) {
    const std::int64_t next = encoded[out.latents[i]]->output_channels;
    if (out.aggregation == LatentAggregation::concatenation) {
      width += next;
    } else if (next != width) {
      throw UserError(
          "latents of " + std::to_string(width) + " and of " + std::to_string(next) + " channels cannot be added",
          model.path(), "the checkpoint is damaged; export it again");
    }
  }
  return width;
}

// Until 0.12 each dataset has its own values of the hidden nodes, which its encoder starts from.
std::optional<NodeDescription> own_hidden(const Scope& scope, const NodeDescription& level) {
  NodeDescription own = read_nodes(scope, level.name, paths::hidden_coordinates, paths::hidden_trainable);
  if (own == level) return std::nullopt;
  if (own.count != level.count || node_columns(own) != node_columns(level))
    throw UserError("the datasets have different hidden nodes", own.coordinates.path,
                    "the checkpoint is damaged; export it again");
  return own;
}

Encoded read_encoders(const Scopes& scopes, const std::vector<DatasetNames>& names, const ModelDescription& model,
                      std::int64_t condition) {
  Encoded out;
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    auto& encoded = out.emplace_back();
    if (names[i].encoded) encoded = read_encoder(scopes[i], model.datasets[i], model.levels.front(), condition);
  }
  return out;
}

void read_trunk(const Scope& scope, std::int64_t channels, std::int64_t condition, ModelDescription& out) {
  if (out.class_name == kHierarchicalModel) {
    out.trunk = read_hierarchy(scope, out.levels, channels, find_latent_skip(scope));
    return;
  }
  out.latent_skip = find_latent_skip(scope);
  out.trunk.emplace_back(ProcessStage{
      .level = 0,
      .processor =
          read_processor(by_paths(scope.model, paths::processor, scope.names), scope,
                         {.graph = paths::processor_graph,
                          .nodes = out.levels.front().count,
                          .channels = channels,
                          .condition = out.noise && !out.noise->injection ? out.noise->channels : condition})});
}

// Sampling asks the network about a field of every dataset, and wants an answer for each.
void check_sampled(const Node& model, const std::vector<DatasetNames>& names) {
  for (const DatasetNames& each : names) {
    if (each.encoded && each.decoded) continue;
    throw UserError(
        "a transport model whose dataset " + each.dataset + " has no " + (each.encoded ? "decoder" : "encoder"),
        model.path(), "anemoi-models does not run it either; each dataset must be read and written");
  }
}

void read_layers(const Scopes& scopes, const std::vector<DatasetNames>& names, ModelDescription& out) {
  const Scope& scope = scopes.front();
  const NodeDescription& hidden = out.levels.front();
  if (is_transport(scope.model)) {
    check_sampled(scope.model, names);
    out.transport = read_transport(scope.model);
    for (const DatasetDescription& dataset : out.datasets) check_source(scope.model, *out.transport, dataset);
  }
  const std::int64_t condition = out.transport ? out.transport->channels : 0;  // of all layers
  Encoded encoded = read_encoders(scopes, names, out, condition);
  const std::int64_t channels = read_aggregation(scope.model, encoded, out);
  if (out.class_name == kEnsembleModel) {
    out.noise = read_injector(scope.model.at("noise_injector"), {hidden.count, channels});
  }
  read_trunk(scope, channels, condition, out);
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    DatasetDescription& dataset = out.datasets[i];
    std::int64_t width = 0;
    if (encoded[i]) width = encoded[i]->source_channels > 0 ? encoded[i]->source_channels : input_columns(dataset);
    if (names[i].decoded) dataset.decoder = read_decoder(scopes[i], hidden, channels, width, condition, dataset);
    if (!encoded[i]) continue;
    dataset.encoder = EncoderDescription{std::move(encoded[i]->description), own_hidden(scopes[i], hidden)};
  }
}

// What no part can be read without is thrown at once, what the parts refuse is collected.
ModelDescription describe_root(const Node& root, Refusals& refusals) {
  require_class(root, "checkpoint", {"anemoi.models.interface.AnemoiModelInterface"});
  refuse_unknown_attributes(root);
  const Node model = by_paths(root, paths::model);
  require_class(model, "model",
                {"anemoi.models.models.encoder_processor_decoder.AnemoiModelEncProcDec", kEnsembleModel,
                 kHierarchicalModel, kTransportModel, kTransportTendencyModel});
  refuse_unknown_attributes(model);
  const Generation& generation = detect_generation(model);
  const std::vector<DatasetNames> names = find_datasets(model);
  Scopes scopes;
  for (const DatasetNames& each : names) scopes.push_back({generation, each, model});

  ModelDescription out;
  out.latent_skip = false;
  out.class_name = model.class_name();
  out.generation = generation.name;
  out.output_has_time = generation.output_has_time;
  for (const Scope& each : scopes) {
    for (const char* table : {"node_attributes.{dataset}", "node_attributes"}) {
      const auto nodes = find_by_paths(model, {"nodes", {table}, "trainable_tensors"}, each.names);
      if (nodes) refuse_unknown_attributes(*nodes);
    }
    out.datasets.push_back(read_dataset(each));
  }
  for (const std::string& name : level_names(model)) {
    Scope level = scopes.front();
    level.names.hidden = name;
    out.levels.push_back(read_nodes(level, name, paths::hidden_coordinates, paths::hidden_trainable));
  }
  attempt(refusals, [&] { read_layers(scopes, names, out); });
  for (std::size_t i = 0; i < scopes.size(); ++i)
    read_surroundings(root, scopes[i], names[i].encoded, out.datasets[i], refusals);
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

// Names and texts of a file may be of any length; what is told of them is not.
void shorten(std::string& text) {
  constexpr std::size_t most = 900;
  if (text.size() > most) text = text.substr(0, most) + " ...";
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
    shorten(each.what);
    shorten(each.where);
    if (!file.empty()) each.where = each.where.empty() ? file : file + ": " + each.where;
  }
  throw Refused(std::move(refusals));
}

}  // namespace tradewind::checkpoint
