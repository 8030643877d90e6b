// What a model does with the rows of one dataset: pre-processing and encoder on the way in, decoder, residual, bounding
// and post-processing on the way out. Built on the CPU; immutable afterwards but for move_to. Not thread-safe
// (workspace, communicator).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>

#include "common/checkpoint/description.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/nn/input_rows.h"
#include "worker/nn/mapper.h"
#include "worker/nn/output_rows.h"
#include "worker/nn/target_rows.h"
#include "worker/nn/tendency_rows.h"
#include "worker/nn/truncated_skip.h"
#include "worker/preprocess/preprocessing.h"

namespace tradewind::nn {

// What the layers of a dataset are told beside its description.
struct DatasetContext {
  Precision precision = Precision::f32;
  const dist::Shards& hidden;  // rows of the level that encoder and decoder meet
  dist::Communicator& communicator;
  std::int64_t least_pieces = 1;  // of a mapper's destination rows
  Workspace& workspace;
  std::string suffix;  // of the names of mappers, where a model has several datasets
};

class DatasetLayers {
 public:
  // Collective. The description's tensors must outlive it.
  DatasetLayers(const checkpoint::DatasetDescription& dataset, const DatasetContext& context);
  void move_to(at::Device device);
  // The hidden rows' own values (own rows, k), which the encoder starts from.
  void fix_hidden(const at::Tensor& attributes, Workspace& workspace);

  dist::RowRange rows() const { return rows_; }
  bool encodes() const { return encoder_ != nullptr; }
  bool decodes() const { return decoder_ != nullptr; }
  // x (input steps, rows, input variables) float32 contiguous, raw; referred to. InternalFault for another shape.
  // call: of the forecast, from 0. Collective.
  InputRows input(const at::Tensor& x, int call, dist::Communicator& communicator, const Workspace& workspace) const;
  // (own hidden rows, channels) float32. condition: of all rows, where the network has one. Collective.
  at::Tensor encode(const InputRows& input, std::int64_t hidden_rows, const SameRows* condition,
                    dist::Communicator& communicator, Workspace& workspace) const;
  // (output steps, rows, output variables) float32, raw units. Collective.
  at::Tensor decode(const at::Tensor& latent, const InputRows& input, const at::Tensor& x,
                    dist::Communicator& communicator, Workspace& workspace) const;

  // The same in two parts, for a network that a sampler asks. What it answers: (rows, output steps * output variables)
  // float32, time slowest, in its own units. Collective.
  at::Tensor answer(const at::Tensor& latent, const InputRows& input, const SameRows& condition,
                    dist::Communicator& communicator, Workspace& workspace) const;
  // What becomes of such values. Collective.
  at::Tensor finish(const at::Tensor& answer, const InputRows& input, const at::Tensor& x,
                    dist::Communicator& communicator, Workspace& workspace) const;
  // (rows, output variables) normalised: the latest input, which holds each of them.
  at::Tensor latest(const at::Tensor& x) const;
  std::int64_t output_steps() const { return output_steps_; }
  std::int64_t output_variables() const { return output_variables_; }
  std::int64_t all_rows() const { return shards_.rows(); }

 private:
  void run_decoder(const at::Tensor& latent, const InputRows& input, const SameRows* condition,
                   const Mapper::Sink& sink, dist::Communicator& communicator, Workspace& workspace) const;
  at::Tensor skip_of(const InputRows& input, const at::Tensor& x, dist::Communicator& communicator,
                     const Workspace& workspace) const;

  std::int64_t input_steps_, output_steps_, input_variables_, output_variables_;
  dist::Shards shards_;
  dist::RowRange rows_;
  preprocess::Preprocessing preprocessing_;
  at::Tensor attributes_;  // of this rank's nodes
  InputLayout layout_;
  std::unique_ptr<Mapper> encoder_, decoder_;
  std::optional<TargetColumns> targets_;
  std::optional<TruncatedSkip> truncated_;
  OutputRows finish_;
  std::optional<TendencyRows> tendency_;
  at::Tensor prognostic_input_, prognostic_output_;  // columns
};

}  // namespace tradewind::nn
