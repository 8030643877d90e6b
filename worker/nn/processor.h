// What happens among the hidden rows between encoder and decoder. A family of processors is one class behind this
// interface and one row in families.cpp. A rank owns consecutive rows; a processor fetches by itself what it needs of
// the others'. Not thread-safe (workspace, communicator).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "common/checkpoint/description.h"
#include "common/checkpoint/layer_limits.h"
#include "common/precision.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/nn/row_source.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class Processor {
 public:
  virtual ~Processor() = default;
  // To the device it is to run on, before the first call.
  virtual void move_to(at::Device device) = 0;
  // x (own rows, channels) float32 contiguous, in place. condition: of own rows, for norms that take one; null where
  // nothing conditions them. Collective.
  virtual void operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                          Workspace& workspace) const = 0;
};

// What a processor is told beside its description.
struct ProcessorContext {
  Precision precision = Precision::f32;
  const dist::Shards& rows;
  dist::Communicator& communicator;
  std::int64_t least_chunks = 1;  // of own rows
  Workspace& workspace;
  std::int64_t kept_bytes =
      checkpoint::limits::kept_bytes;  // that a layer may keep of what does not change between steps
};

// Collective: plans what is exchanged.
std::unique_ptr<Processor> make_processor(const checkpoint::ProcessorDescription& description,
                                          const ProcessorContext& context);

}  // namespace tradewind::nn
