// The family without neighbours: every hidden node is a data node, and every row is computed from the same row alone.
// Nothing is exchanged. Everything lives for one chunk of rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "worker/nn/mapper.h"
#include "worker/nn/processor.h"
#include "worker/nn/sequential.h"

namespace tradewind::nn {

// An encoder embeds its sources; a decoder extracts its results from them. Destinations are not looked at.
class PointWiseMapper : public Mapper {
 public:
  PointWiseMapper(const checkpoint::PointWiseMapperDescription& description, const MapperContext& context);
  void move_to(at::Device device) override;
  std::int64_t outputs() const override { return layers_.outputs(inputs_); }
  void fix_destinations(const at::Tensor& rows, Workspace& workspace) override;
  void operator()(const RowSource& sources, const RowSource* destinations, const SameRows* condition, const Sink& sink,
                  dist::Communicator& communicator, Workspace& workspace) const override;

 private:
  std::int64_t inputs_, rows_;
  Sequential layers_;
  std::int64_t chunk_limit_, chunk_;  // rows of a chunk
};

// x = mlp(x), once per layer.
class PointWiseProcessor : public Processor {
 public:
  PointWiseProcessor(const checkpoint::PointWiseProcessorDescription& description, const ProcessorContext& context);
  void move_to(at::Device device) override;
  void operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                  Workspace& workspace) const override;

 private:
  std::vector<Sequential> layers_;
  std::int64_t widest_ = 1, chunk_limit_, chunk_;
};

}  // namespace tradewind::nn
