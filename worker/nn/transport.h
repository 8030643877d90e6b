// How a step of a transport model goes: from a source field, by a sampler that asks the network again and again, to
// what comes out; see TransportDescription. Fields are a rank's own rows; random ones are drawn whole by every rank and
// cut, so a result does not depend on the number of ranks. Immutable but for move_to. Not thread-safe (generator,
// workspace).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "worker/dist/shards.h"
#include "worker/nn/level_embedding.h"
#include "worker/nn/row_source.h"
#include "worker/nn/samplers.h"
#include "worker/nn/step_context.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

// Of one dataset.
struct TransportField {
  std::int64_t steps = 1, rows = 0, variables = 0;  // of the output; rows of all ranks
  dist::RowRange own;
};

class Transport {
 public:
  // wanted: beside the checkpoint's defaults. UserError when it does not go with them.
  Transport(const checkpoint::TransportDescription& description, std::vector<TransportField> fields,
            const sampling::Choice& wanted, Precision precision);
  void move_to(at::Device device);
  // Whether it starts from the latest state of the input.
  bool starts_from_input() const { return source_ == checkpoint::SourceField::latest_state; }
  // The network's answers to y, (own rows, steps * variables) float32 of each dataset, likewise. Collective.
  using Ask = std::function<Fields(const Fields& y, const SameRows& condition)>;
  // What comes out, in the network's units. latest (own rows, variables): where it starts from the input. Collective.
  Fields operator()(const Fields& latest, const StepContext& context, const Ask& ask, Workspace& workspace) const;

 private:
  at::Tensor drawn(std::size_t dataset, at::ScalarType type, const StepContext& context) const;
  Fields source(const Fields& latest, const StepContext& context, at::Device device) const;
  // The field that y is taken for without its noise.
  Fields clean(const Fields& y, double sigma, const Ask& ask, Workspace& workspace) const;
  SameRows condition(const at::Tensor& level, Workspace& workspace) const {
    return SameRows(embedding_(level, workspace));
  }

  sampling::Objective objective_;
  double sigma_data_;
  checkpoint::SourceField source_;
  double scale_, noise_scale_;
  std::vector<TransportField> fields_;
  sampling::Sampling sampling_;
  std::vector<double> levels_;
  LevelEmbedding embedding_;
};

}  // namespace tradewind::nn
