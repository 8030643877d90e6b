// The rows the decoder starts from: the features that the checkpoint names, one after the other. All but the encoder's
// result are columns of the encoder's input.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "common/checkpoint/description.h"
#include "worker/nn/move.h"
#include "worker/nn/row_source.h"

namespace tradewind::nn {

// Which columns of the encoder's input rows each feature is; for the encoder's result all of them, which holds when the
// encoder leaves its sources as they are. Built once, immutable.
class TargetColumns {
 public:
  // Throws UserError when a feature names columns that do not exist, or trainable values that there are none of.
  TargetColumns(const std::vector<checkpoint::TargetFeature>& features, const checkpoint::DatasetDescription& dataset);

  void move_to(at::Device device) {
    for (Part& part : parts_) move_part(part.columns, device);
  }

  struct Part {
    bool encoded;        // the encoder's result
    at::Tensor columns;  // int64, of the encoder's input
  };
  const std::vector<Part>& parts() const { return parts_; }

 private:
  std::vector<Part> parts_;
};

// Refers to all it is given.
class TargetRows : public RowSource {
 public:
  // encoded: what the encoder made of `input`; null when it is `input`.
  TargetRows(const TargetColumns& columns, const RowSource& input, const RowSource* encoded);
  std::int64_t columns() const override { return width_; }
  void rows(const at::Tensor& which, at::Tensor out) const override;

 private:
  bool is_input(const TargetColumns::Part& part) const { return !part.encoded || encoded_ == nullptr; }

  const TargetColumns& columns_;
  const RowSource& input_;
  const RowSource* encoded_;
  std::int64_t width_ = 0;
};

}  // namespace tradewind::nn
