// The model of a checkpoint on this rank's rows: the encoders of its datasets, the trunk among the hidden rows, and the
// decoders. Built once from the description; a call does not change it. Not thread-safe (it owns scratch memory
// and uses the communicator). Weights are views of the mapped checkpoint, which must outlive the model.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "common/sampling/sampling.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/nn/operations.h"
#include "worker/nn/step_context.h"

namespace tradewind::nn {

struct ModelOptions {
  Precision precision = Precision::f32;
  int mapper_chunks = 1;     // ANEMOI_INFERENCE_NUM_CHUNKS_MAPPER: pieces of destination rows, at least this many
  int processor_chunks = 1;  // ANEMOI_INFERENCE_NUM_CHUNKS_PROCESSOR
  at::Device device{at::kCPU};
  std::shared_ptr<const Operations> operations;  // of that device; null: the CPU's
  sampling::Choice sampling;                     // that a transport model is asked for, beside its own
};

class Model {
 public:
  virtual ~Model() = default;
  // This rank's rows of a dataset, by its number in the description.
  virtual dist::RowRange rows(std::size_t dataset = 0) const = 0;
  // Where x is to be and y will be.
  virtual at::Device device() const { return at::kCPU; }
  // x, for each dataset in the description's order: (input steps, rows, input variables), float32, raw units,
  // contiguous, on the model's device. Returns for each (output steps, rows, output variables), likewise; undefined for
  // a dataset without a decoder. On CUDA the results may still be on their way.
  virtual std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const StepContext& context) = 0;
  // Whether a call depends on x and its context alone: nothing is kept from one to the next, and random numbers come
  // from the context's generator, whose state goes with the forecast. Only then can it be taken up between two calls
  // (--restart).
  virtual bool keeps_nothing() const { return false; }
};

// Throws UserError naming class and path for what this build cannot run.
std::unique_ptr<Model> make_model(const checkpoint::ModelDescription& description, const ModelOptions& options,
                                  dist::Communicator& communicator);

}  // namespace tradewind::nn
