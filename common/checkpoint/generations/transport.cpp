#include "common/checkpoint/generations/transport.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::int64_t kMostSteps = 10000;
constexpr const char* kNotEither = "anemoi-models does not run such a model either";

double finite(const Node& node) {
  const double value = node.as_double();
  if (!std::isfinite(value)) throw UserError("a value that is no number", node.path());
  return value;
}

sampling::Objective read_objective(const Node& node) {
  const std::string denoise = "anemoi.models.transport.objectives.EDMDiffusionModelObjective";
  require_class(node, "transport objective",
                {denoise, "anemoi.models.transport.objectives.StochasticInterpolantModelObjective"});
  return node.class_name() == denoise ? sampling::Objective::denoise : sampling::Objective::move;
}

// A Sequential whose layers have names.
SequentialDescription read_condition_mlp(const Node& mlp, std::int64_t outputs, std::int64_t inputs) {
  require_class(mlp, "MLP of the noise level", {"torch.nn.modules.container.Sequential"});
  if (modules_by_name(mlp).size() != 3) {
    throw UserError("an MLP of the noise level that is not two linear layers and an activation", mlp.path(),
                    "the checkpoint is damaged or of an unknown layout");
  }
  const Node first = mlp.at("linear1_no_gradscaling");
  const std::int64_t inner = linear_outputs(first);
  SequentialDescription out{{read_linear(first, inner, inputs)}};
  for (const SequentialLayer& layer : read_sequential(mlp.at("activation"), inner, inner).layers) {
    out.layers.push_back(layer);
  }
  out.layers.emplace_back(read_linear(mlp.at("linear2_no_gradscaling"), outputs, inner));
  return out;
}

LevelEmbeddingDescription read_embedding(const Node& model, std::int64_t outputs) {
  const Node node = model.at("noise_embedder");
  const std::string fourier = "anemoi.models.layers.diffusion.RandomFourierEmbeddings";
  require_class(node, "embedding of the noise level", {"anemoi.models.layers.diffusion.SinusoidalEmbeddings", fourier});
  refuse_unknown_attributes(node);
  LevelEmbeddingDescription out;
  out.frequencies = floating_tensor(node.at("frequencies"), {kAnySize});
  out.turns = node.class_name() == fourier;
  out.mlp = read_condition_mlp(model.at("noise_cond_mlp"), outputs, 2 * out.frequencies.shape[0]);
  return out;
}

void read_source(const Node& builder, TransportDescription& out) {
  require_class(builder, "source of a transport model", {"anemoi.models.transport.sources.TransportSourceBuilder"});
  const Node settings = builder.at("settings"), kind = settings.at("kind");
  const std::string& name = kind.as_string();
  if (name == "default" || name == "gaussian") {
    out.source = SourceField::gaussian;
  } else if (name == "zero") {
    out.source = SourceField::zero;
  } else if (name == "reference_state") {
    out.source = SourceField::latest_state;
  } else {
    throw UserError("the source `" + name + "` of a transport model is not supported", kind.path(),
                    "known: default, gaussian, zero, reference_state");
  }
  out.scale = finite(settings.at("scale"));
  out.noise_scale = finite(settings.at("noise_scale"));
}

sampling::Value read_value(const Node& node) {
  const auto& data = node.value().data;
  if (std::holds_alternative<bool>(data)) return node.as_bool();
  if (std::holds_alternative<std::int64_t>(data)) return node.as_int();
  if (std::holds_alternative<std::string>(data)) return node.as_string();
  return node.as_double();
}

// Later sections of the table than these two are not looked at by anemoi-models.
sampling::Options read_options(const Node& defaults, const char* section, sampling::Part part) {
  sampling::Options out;
  const auto table = defaults.find(section);
  if (!table || table->is_none()) return out;
  for (const auto& [name, node] : table->entries()) {
    if (node.is_none()) throw UserError("an option without a value", node.path());
    const sampling::Option option{read_value(node), node.path()};
    sampling::check(part, "", name, option);
    out.emplace(name, option);
  }
  return out;
}

void read_scale(const Node& processor, const Scope& scope, const ModelSizes& sizes, bool& found,
                ScaleDescription& out) {
  const PreprocessorDescription read = read_preprocessor(processor, scope, sizes);
  if (const auto* normalizer = std::get_if<NormalizerDescription>(&read)) {
    if (found) throw UserError("two normalisers of tendencies", processor.path(), "known: one");
    found = true;
    out = {normalizer->output_multiply, normalizer->output_add};
    return;
  }
  // A state's imputers find what is missing; those of tendencies are left out.
  if (std::holds_alternative<ImputerDescription>(read)) return;
  throw UserError("tendencies through a pre-processor of class " + processor.class_name() + " are not possible",
                  processor.path(), kNotEither);
}

std::vector<std::string> names_of(const Node& processors) {
  std::vector<std::string> names;
  for (const auto& [name, node] : modules_by_name(processors.at("processors"))) names.push_back(name);
  return names;
}

// names: of a state's post-processors; those of tendencies are made of the same configuration. Without a normaliser
// values are as they are.
ScaleDescription read_scales(const Node& processors, const Scope& scope, const ModelSizes& sizes,
                             const std::vector<std::string>& names) {
  require_class(processors, "post-processors of tendencies", {"anemoi.models.preprocessing.Processors"});
  refuse_unknown_attributes(processors);
  if (names_of(processors) != names) {
    throw UserError("the post-processors of tendencies are not those of states", processors.path(),
                    "the checkpoint is damaged; export it again");
  }
  const auto columns = static_cast<std::size_t>(sizes.output_variables);
  ScaleDescription out{std::vector<float>(columns, 1.0F), std::vector<float>(columns, 0.0F)};
  bool found = false;
  for (const auto& [name, node] : modules_by_name(processors.at("processors"))) {
    read_scale(node, scope, sizes, found, out);
  }
  return out;
}

// One table of processors, or one for each output step by its lead time.
std::vector<ScaleDescription> read_scales_of_steps(const Node& node, const Scope& scope, const ModelSizes& sizes,
                                                   const std::vector<std::string>& names, std::int64_t steps) {
  std::vector<ScaleDescription> out;
  if (node.class_name() != "anemoi.models.preprocessing.StepwiseProcessors") {
    out.push_back(read_scales(node, scope, sizes, names));
  } else {
    refuse_unknown_attributes(node);
    const auto by_time = modules_by_name(node.at("_processors"));
    for (const Node& time : node.at("_lead_times").items()) {
      const auto found = std::find_if(by_time.begin(), by_time.end(),
                                      [&](const auto& each) { return each.first == time.as_string(); });
      if (found == by_time.end()) {
        throw UserError("no statistics of tendencies for lead time " + time.as_string(), node.path(), kNotEither);
      }
      out.push_back(read_scales(found->second, scope, sizes, names));
    }
  }
  if (static_cast<std::int64_t>(out.size()) == steps) return out;
  throw UserError("statistics of tendencies for " + std::to_string(out.size()) + " steps, where " +
                      std::to_string(steps) + " come out",
                  node.path(), kNotEither);
}

// Diagnostic variables come in the units of states.
void take_diagnostics(const DatasetDescription& dataset, ScaleDescription& scale) {
  const auto columns = static_cast<std::size_t>(dataset.output_variables);
  ScaleDescription state{std::vector<float>(columns, 1.0F), std::vector<float>(columns, 0.0F)};
  for (const PreprocessorDescription& each : dataset.preprocessors) {
    if (const auto* normalizer = std::get_if<NormalizerDescription>(&each)) {
      state = {normalizer->output_multiply, normalizer->output_add};
    }
  }
  std::vector<bool> prognostic(columns, false);
  for (const std::int64_t column : dataset.prognostic_output) prognostic.at(static_cast<std::size_t>(column)) = true;
  for (std::size_t i = 0; i < columns; ++i) {
    if (prognostic[i]) continue;
    scale.multiply[i] = state.multiply[i];
    scale.add[i] = state.add[i];
  }
}

// anemoi-models hands these more than a state's columns, which the others do not take.
void check_state_processors(const Scope& scope, const DatasetDescription& dataset) {
  int normalizers = 0;
  for (const PreprocessorDescription& each : dataset.preprocessors) {
    if (std::holds_alternative<ImputerDescription>(each)) continue;
    if (std::holds_alternative<NormalizerDescription>(each) && ++normalizers == 1) continue;
    throw UserError("a model of tendencies with pre-processors beside one normaliser and imputers is not possible",
                    scope.model.path(), kNotEither);
  }
}

}  // namespace

bool is_transport(const Node& model) {
  return model.class_name() == kTransportModel || model.class_name() == kTransportTendencyModel;
}
bool gives_tendencies(const Node& model) { return model.class_name() == kTransportTendencyModel; }

TransportDescription read_transport(const Node& model) {
  TransportDescription out;
  out.objective = read_objective(model.at("transport_model_objective"));
  const Node data = model.at("edm").at("sigma_data");
  out.sigma_data = finite(data);
  if (!(out.sigma_data > 0)) throw UserError("sigma_data that is not above 0", data.path());
  out.channels = positive(model.at("noise_cond_dim"));
  out.embedding = read_embedding(model, out.channels);
  read_source(model.at("transport_source"), out);
  const Node defaults = model.at("inference_defaults");
  if (defaults.is_none()) return out;
  out.defaults.schedule = read_options(defaults, "sampling_schedule", sampling::Part::schedule);
  out.defaults.sampler = read_options(defaults, "sampler", sampling::Part::sampler);
  return out;
}

std::vector<InputFeature> read_transport_features(const Node& model, std::int64_t output_steps) {
  std::vector<InputFeature> features = {InputFeature::variables, InputFeature::target, InputFeature::node_attributes};
  if (!gives_tendencies(model) || !model.at("condition_on_residual").as_bool()) return features;
  if (output_steps > kMostSteps) throw UserError(std::to_string(output_steps) + " output steps", model.path());
  features.insert(features.end(), static_cast<std::size_t>(output_steps), InputFeature::residual);
  return features;
}

void settle_transport_dataset(const Node& root, const Scope& scope, const ModelSizes& sizes,
                              DatasetDescription& dataset) {
  dataset.boundings.clear();  // anemoi-models applies none of a model of this kind
  if (!gives_tendencies(scope.model)) {
    dataset.residual = NoResidualDescription{};  // nor its residual
    return;
  }
  const auto* skip = std::get_if<SkipResidualDescription>(&dataset.residual);
  if ((skip && skip->step != -1) || std::holds_alternative<NoResidualDescription>(dataset.residual)) {
    throw UserError("tendencies since another input than the latest", scope.model.path(), kNotEither);
  }
  check_state_processors(scope, dataset);
  const Node processors = by_paths(root, paths::tendency_postprocessors, scope.names);
  const std::vector<std::string> names = names_of(by_paths(root, paths::postprocessors, scope.names));
  TendencyDescription tendency{read_scales_of_steps(processors, scope, sizes, names, dataset.output_steps)};
  for (ScaleDescription& step : tendency.steps) take_diagnostics(dataset, step);
  dataset.tendency = std::move(tendency);
}

void check_source(const Node& model, const TransportDescription& transport, const DatasetDescription& dataset) {
  if (transport.source != SourceField::latest_state) return;
  if (static_cast<std::int64_t>(dataset.prognostic_output.size()) == dataset.output_variables) return;
  throw UserError("a sampler that starts from the latest state, of which the input does not hold every output variable",
                  model.path(), kNotEither);
}

}  // namespace tradewind::checkpoint
