#include "common/checkpoint/generations/ensemble.h"

#include <cmath>
#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/checkpoint/generations/truncation.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// Until 0.11.0; it had no effect. Later injectors name their matrix instead, or None.
bool is_first_generation(const Node& injector) { return injector.has("inject_noise"); }

// Since 0.11.1 the noise may come through a sparse matrix, which a projector holds, and since 0.11.3 a provider.
std::optional<SparseDescriptor> read_projection(const Node& injector, const NoiseEnds& ends) {
  if (is_first_generation(injector)) return std::nullopt;
  const Node holder = by_paths(injector, paths::noise_matrix);
  if (holder.is_none()) return std::nullopt;
  const bool provided = injector.has("noise_graph_provider");
  refuse_autocast(provided ? injector.at("_sparse_projector") : holder);
  const Node matrix = provided ? matrix_of_provider(holder) : holder.at("projection_matrix");
  return read_sparse_matrix(matrix, ends.rows, kAnySize);
}

NoiseDescription read_noise(const Node& injector, const NoiseEnds& ends) {
  NoiseDescription out;
  out.projection = read_projection(injector, ends);
  out.rows = out.projection ? out.projection->columns : ends.rows;
  out.channels = positive(injector.at("noise_channels"));
  const Node deviation = injector.at("noise_std");
  out.deviation = deviation.as_double();
  if (!std::isfinite(out.deviation)) throw UserError("noise with a deviation that is no number", deviation.path());
  out.mlp = read_sequential(injector.at("noise_mlp"), out.channels, out.channels);
  return out;
}

}  // namespace

// Until 0.10 the residual always comes between variables and nodes; since 0.11 last, and only when asked for. Of these
// only 0.11.2 and 0.11.3 run it: 0.11.0 and 0.11.1 rearrange it by a dimension that it does not have, and since it has
// one of time (0.12) the same is true again.
std::vector<InputFeature> read_input_features(const Scope& scope) {
  if (scope.model.class_name() != kEnsembleModel) return {InputFeature::variables, InputFeature::node_attributes};
  if (scope.generation.skip_is_implicit) {
    return {InputFeature::variables, InputFeature::residual, InputFeature::node_attributes,
            InputFeature::forecast_step};
  }
  std::vector<InputFeature> features = {InputFeature::variables, InputFeature::node_attributes,
                                        InputFeature::forecast_step};
  const Node condition = scope.model.at("condition_on_residual");
  if (!condition.as_bool()) return features;
  if (scope.generation.output_has_time || is_first_generation(scope.model.at("noise_injector"))) {
    throw UserError("condition_on_residual is not possible with anemoi-models " +
                        std::string(scope.generation.output_has_time ? "0.12 and later" : "0.11.0"),
                    condition.path(), "anemoi-models does not run such a model either; only 0.11.2 and 0.11.3 do");
  }
  features.push_back(InputFeature::residual);
  return features;
}

std::optional<NoiseDescription> read_noise_conditioning(const Node& node, const NoiseEnds& ends) {
  return read_noise(node, ends);
}

// Since 0.11.1 it holds an object of the other class that makes its noise; before, it is one.
std::optional<NoiseDescription> read_noise_injector(const Node& node, const NoiseEnds& ends) {
  const auto inner = node.find("_noise_conditioning");
  if (inner) {
    require_class(*inner, "noise", {"anemoi.models.layers.ensemble.NoiseConditioning"});
    refuse_unknown_attributes(*inner);
    if (const Node count = node.at("noise_channels"); count.as_int() != inner->at("noise_channels").as_int()) {
      throw UserError("noise of two different widths", count.path(), "the checkpoint is damaged; export it again");
    }
  } else if (!is_first_generation(node)) {
    throw UserError("a noise injector without its noise (_noise_conditioning)", node.path(),
                    "the checkpoint is damaged; export it again");
  }
  NoiseDescription out = read_noise(inner ? *inner : node, ends);
  out.injection = read_linear(node.at("projection"), ends.channels, ends.channels + out.channels);
  return out;
}

std::optional<NoiseDescription> read_no_noise(const Node&, const NoiseEnds&) { return std::nullopt; }

void refuse_condition(const Node& layers, std::int64_t condition) {
  if (condition == 0) return;
  throw UserError("noise conditions the layers, but those of " + layers.class_name() + " take no condition",
                  layers.path(), "known: layers of the families Transformer and GraphTransformer");
}

}  // namespace tradewind::checkpoint
