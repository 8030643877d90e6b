// Transformer over the hidden rows in their stored order. A rank owns consecutive rows; for a layer with a window it
// needs only the `window` rows on either side of them, which the neighbours send before the layer. Keys and values of
// own and neighbouring rows are kept packed for the attention kernel; everything else lives for one chunk of rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "worker/dist/halo.h"
#include "worker/nn/layer_norm.h"
#include "worker/nn/linear.h"
#include "worker/nn/processor.h"
#include "worker/nn/sequential.h"

namespace tradewind::nn {

// The rows whose keys a rank's queries see: own rows and the halo on both sides, in global order.
struct AttentionSpan {
  dist::RowRange own, seen;
  dist::HaloPlan halo;
};

class TransformerBlock {
 public:
  TransformerBlock(const checkpoint::TransformerBlockDescription& description, config::Precision precision);
  void move_to(at::Device device);
  // x (own rows, channels) float32, in place; halo (halo rows, channels): the same of the neighbours.
  void operator()(at::Tensor x, const at::Tensor& halo, const AttentionSpan& span, std::int64_t least_chunks,
                  Workspace& workspace) const;

 private:
  struct Packed {
    at::Tensor keys, values;
    std::int64_t rows;
  };
  void pack(const at::Tensor& x, std::int64_t first, std::int64_t position, Packed& packed, std::int64_t chunk,
            Workspace& workspace) const;
  void project(const Linear& linear, const std::optional<LayerNorm>& norm, bool rotary, const at::Tensor& normalized,
               std::int64_t position, at::Tensor& out, Workspace& workspace) const;
  void attend(at::Tensor& query, std::int64_t position, const Packed& packed) const;
  // The same on other devices; see transformer_device.cpp.
  void run_on_device(at::Tensor x, const at::Tensor& halo, const AttentionSpan& span, std::int64_t least_chunks,
                     Workspace& workspace) const;
  void keys_values(const at::Tensor& x, std::int64_t position, at::Tensor keys, at::Tensor values, std::int64_t chunk,
                   Workspace& workspace) const;

  std::int64_t heads_, head_size_;
  at::ScalarType stored_type_;  // of keys and values on a device other than the CPU
  Linear query_, key_, value_, projection_;
  LayerNorm norm_attention_, norm_mlp_;
  std::optional<LayerNorm> query_norm_, key_norm_;
  std::optional<std::int64_t> window_;
  double softcap_;
  at::Tensor slopes_;
  bool rotary_;
  Sequential mlp_;
};

class TransformerProcessor : public Processor {
 public:
  TransformerProcessor(const checkpoint::TransformerProcessorDescription& description, const ProcessorSite& site);
  void move_to(at::Device device) override;
  void operator()(at::Tensor x, dist::Communicator& communicator, Workspace& workspace) const override;

 private:
  struct Layer {
    TransformerBlock block;
    const AttentionSpan* span;
    std::string place;
  };
  std::map<std::int64_t, AttentionSpan> spans_;  // by window; -1: all rows
  std::vector<Layer> layers_;
  std::int64_t least_chunks_;
};

}  // namespace tradewind::nn
