// What happens among the hidden rows between encoders and decoders: the stages of a model's trunk, over one level of
// hidden nodes or several. Built on the CPU; immutable afterwards but for move_to and fix. Not thread-safe (workspace,
// communicator).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/nn/row_source.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

// What the stages are told beside their description.
struct TrunkContext {
  Precision precision = Precision::f32;
  const std::vector<dist::Shards>& levels;
  dist::Communicator& communicator;
  std::int64_t least_pieces = 1;  // of a mapper's destination rows
  std::int64_t least_chunks = 1;  // of a processor's rows
  Workspace& workspace;
};

// This rank's rows of one level while a call goes on; `kept` from the way down to the way up.
struct LevelRows {
  at::Tensor x, kept;
};

class Stage {
 public:
  virtual ~Stage() = default;
  virtual void move_to(at::Device device) = 0;
  // The nodes' own values of each level (own rows, k), on the device it was moved to.
  virtual void fix(const std::vector<at::Tensor>& attributes, Workspace& workspace) = 0;
  // condition: of own rows of level 0, for norms that take one; else null. Collective.
  virtual void operator()(std::vector<LevelRows>& levels, const RowSource* condition, dist::Communicator& communicator,
                          Workspace& workspace) const = 0;
};

class Trunk {
 public:
  // Collective. The shards must outlive it.
  Trunk(const checkpoint::ModelDescription& model, const TrunkContext& context);
  void move_to(at::Device device);
  void fix(const std::vector<at::Tensor>& attributes, Workspace& workspace);
  // x (own rows of level 0, channels) float32 contiguous, which it may write to; likewise. condition: see Stage.
  // Collective.
  at::Tensor operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                        Workspace& workspace) const;

 private:
  std::size_t levels_;
  std::vector<std::unique_ptr<Stage>> stages_;
};

}  // namespace tradewind::nn
