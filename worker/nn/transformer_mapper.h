// Encoder or decoder of the transformer family: every destination row attends to the source rows, all or those within a
// window of its number. Everything but keys and values lives for one chunk of rows (attention.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "worker/nn/attention.h"
#include "worker/nn/layer_norm.h"
#include "worker/nn/mapper.h"
#include "worker/nn/sequential.h"

namespace tradewind::nn {

class TransformerMapper : public Mapper {
 public:
  TransformerMapper(const checkpoint::TransformerMapperDescription& description, const MapperContext& context);

  void move_to(at::Device device) override;
  std::int64_t outputs() const override;
  // Their embedding and queries.
  void fix_destinations(const at::Tensor& rows, Workspace& workspace) override;
  void operator()(const RowSource& sources, const RowSource* destinations, const Sink& sink,
                  dist::Communicator& communicator, Workspace& workspace) const override;

 private:
  void embed_destinations(const RowSource& rows, std::int64_t begin, at::Tensor embedded, at::Tensor query,
                          Workspace& workspace) const;
  void finish(std::int64_t begin, const at::Tensor& attended, at::Tensor x, const Sink& sink,
              Workspace& workspace) const;

  Attention attention_;
  std::optional<Linear> source_embedding_;
  Linear destination_embedding_;
  LayerNorm norm_source_, norm_destination_, norm_mlp_;
  Sequential mlp_;
  std::optional<Sequential> extractor_;
  std::int64_t chunk_limit_, chunk_;  // rows of a chunk
  at::Tensor fixed_embedded_, fixed_query_;
};

}  // namespace tradewind::nn
