// The model of a checkpoint on this rank's rows: pre-processing, encoder, processor, decoder, residual, bounding and
// post-processing. Built once from the description; a call does not change it. Not thread-safe (it owns scratch memory
// and uses the communicator). Weights are views of the mapped checkpoint, which must outlive the model.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "common/checkpoint/description.h"
#include "common/config/run_config.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"

namespace tradewind::nn {

struct ModelOptions {
  config::Precision precision = config::Precision::f32;
  int mapper_chunks = 1;     // ANEMOI_INFERENCE_NUM_CHUNKS_MAPPER: pieces of destination rows, at least this many
  int processor_chunks = 1;  // ANEMOI_INFERENCE_NUM_CHUNKS_PROCESSOR
  at::Device device{at::kCPU};
};

class Model {
 public:
  virtual ~Model() = default;
  // Data rows of this rank.
  virtual dist::RowRange rows() const = 0;
  // Where x is to be and y will be.
  virtual at::Device device() const { return at::kCPU; }
  // x: (input steps, rows, input variables), float32, raw units, contiguous, on the model's device.
  // Returns (output steps, rows, output variables), likewise. On CUDA the result may still be on its way.
  virtual at::Tensor predict(const at::Tensor& x) = 0;
  // Whether a call depends on x alone: nothing is kept from one to the next, and no random numbers are drawn. Only then
  // can a forecast be taken up between two calls (--restart).
  virtual bool keeps_nothing() const { return false; }
};

// Throws UserError naming class and path for what this build cannot run.
std::unique_ptr<Model> make_model(const checkpoint::ModelDescription& description, const ModelOptions& options,
                                  dist::Communicator& communicator);

}  // namespace tradewind::nn
