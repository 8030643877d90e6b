// Encoder or decoder of the transformer family: every destination row attends to the source rows, all or those within a
// window of its number. Everything but keys and values lives for one chunk of rows (attention.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "worker/nn/attention.h"
#include "worker/nn/conditional_norm.h"
#include "worker/nn/mapper.h"
#include "worker/nn/sequential.h"

namespace tradewind::nn {

class TransformerMapper : public Mapper {
 public:
  TransformerMapper(const checkpoint::TransformerMapperDescription& description, const MapperContext& context);

  void move_to(at::Device device) override;
  std::int64_t outputs() const override;
  // Their embedding, and their queries, unless those depend on a condition.
  void fix_destinations(const at::Tensor& rows, Workspace& workspace) override;
  void operator()(const RowSource& sources, const RowSource* destinations, const SameRows* condition, const Sink& sink,
                  dist::Communicator& communicator, Workspace& workspace) const override;

 private:
  void embed_destinations(const RowSource& rows, std::int64_t begin, at::Tensor embedded, Workspace& workspace) const;
  // embedded: which becomes normalised.
  void prepare_destinations(at::Tensor embedded, std::int64_t begin, const SameRows* condition, at::Tensor query,
                            Workspace& workspace) const;
  void finish(std::int64_t begin, const at::Tensor& attended, const SameRows* condition, at::Tensor x, const Sink& sink,
              Workspace& workspace) const;

  Attention attention_;
  std::optional<Linear> source_embedding_;
  Linear destination_embedding_;
  ConditionalNorm norm_source_, norm_destination_, norm_mlp_;
  Sequential mlp_;
  std::optional<Sequential> extractor_;
  std::int64_t chunk_limit_, chunk_;         // rows of a chunk
  at::Tensor fixed_embedded_, fixed_query_;  // without queries not normalised either
};

}  // namespace tradewind::nn
