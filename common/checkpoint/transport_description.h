// What transport models have beside others (description.h): a network that is asked again and again, by a sampler,
// about a field on its way from a source to a state. Plain values; tensors view the mapped file, which must outlive
// them.
#pragma once

#include <cstdint>
#include <vector>

#include "common/checkpoint/layer_description.h"
#include "common/checkpoint/tensor_descriptor.h"
#include "common/sampling/sampling.h"

namespace tradewind::checkpoint {

// The condition of all norms at a level c: mlp([sin(c f), cos(c f)]) for frequencies f; with `turns` those of c f 2 pi.
struct LevelEmbeddingDescription {
  TensorDescriptor frequencies;  // (k)
  bool turns = false;
  SequentialDescription mlp;
  bool operator==(const LevelEmbeddingDescription&) const = default;
};

// Where a sampler starts: scale * field + noise_scale * z, z standard normal. The latest state is that of the input.
enum class SourceField { gaussian, zero, latest_state };

// With the objective `denoise` and s = sigma, d = sigma_data the field that y is taken for without its noise is
// d^2 / (s^2 + d^2) y + s d / (s^2 + d^2)^(1/2) network(y / (s^2 + d^2)^(1/2), level log(s) / 4),
// and the source is multiplied by the first sigma; with `move` y moves as network(y, level = time).
struct TransportDescription {
  sampling::Objective objective = sampling::Objective::denoise;
  double sigma_data = 1;
  std::int64_t channels = 0;  // of the condition
  LevelEmbeddingDescription embedding;
  SourceField source = SourceField::gaussian;
  double scale = 1, noise_scale = 0;
  sampling::Choice defaults;
  bool operator==(const TransportDescription&) const = default;
};

// (y - add) / multiply, one of each for every column of the output.
struct ScaleDescription {
  std::vector<float> multiply, add;
  bool operator==(const ScaleDescription&) const = default;
};
// What comes out is the change of the prognostic variables since a reference, which is what the residual takes from the
// input, and the values of the diagnostic ones; both in units of their own at each output step.
struct TendencyDescription {
  std::vector<ScaleDescription> steps;
  bool operator==(const TendencyDescription&) const = default;
};

}  // namespace tradewind::checkpoint
