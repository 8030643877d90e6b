// Transformer over the hidden rows in their stored order. A rank owns consecutive rows; for a layer with a window it
// needs only the `window` rows on either side of them, which the neighbours send before the layer; without one, ranks
// share the heads (attention.h). Keys and values stay packed for the attention kernel; everything else lives for one
// chunk of rows. Not thread-safe (workspace).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "worker/nn/attention.h"
#include "worker/nn/conditional_norm.h"
#include "worker/nn/processor.h"
#include "worker/nn/sequential.h"

namespace tradewind::nn {

class TransformerBlock {
 public:
  TransformerBlock(const checkpoint::TransformerBlockDescription& description, Precision precision,
                   std::shared_ptr<AttentionPlan> plan, std::string place, std::int64_t least_chunks);
  void move_to(at::Device device);
  // x (own rows, channels) float32, in place. Collective.
  void operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                  Workspace& workspace) const;

 private:
  Attention attention_;
  ConditionalNorm norm_attention_, norm_mlp_;
  Sequential mlp_;
  std::int64_t least_chunks_;
};

class TransformerProcessor : public Processor {
 public:
  TransformerProcessor(const checkpoint::TransformerProcessorDescription& description, const ProcessorContext& context);
  void move_to(at::Device device) override;
  void operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                  Workspace& workspace) const override;

 private:
  std::vector<TransformerBlock> blocks_;
};

}  // namespace tradewind::nn
