// An MLP whose input is several rows side by side, [a, b, ...]: its first layer is a sum of one product for each, so
// that the products of rows which many inputs share are made once, and nothing as wide as the whole input ever exists.
// The first layer is linear, or gated and then two sums (lanes): gate and value. Immutable; thread-safe as long as the
// workspace is not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <vector>

#include "worker/nn/linear.h"
#include "worker/nn/move.h"
#include "worker/nn/sequential.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

// Rows of first-layer sums, (rows, width) for each lane; the second is undefined when there is one lane.
using Lanes = std::array<at::Tensor, 2>;

class SplitMlp {
 public:
  // widths: of the inputs side by side. Throws UserError when the first layer is not that wide.
  SplitMlp(const checkpoint::SequentialDescription& description, const std::vector<std::int64_t>& widths,
           Precision precision);

  void move_to(at::Device device) { move_all(device, lanes_[0], lanes_[1], rest_); }
  int lanes() const { return gated_ ? 2 : 1; }
  std::int64_t width() const { return lanes_[0].front().outputs(); }  // of a lane
  std::int64_t outputs() const { return rest_.outputs(width()); }
  std::int64_t widest() const;

  // sums = the product of input `part` with rows x; the last part brings the bias.
  void project(std::size_t part, const at::Tensor& x, const Lanes& sums, Workspace& workspace) const;
  // What is missing of the sums: the product of input `part` with rows x, without a bias; then the activation.
  void complete(std::size_t part, const at::Tensor& x, const Lanes& sums, Workspace& workspace) const;
  // sums = parts + rows of `first` + rows of `second` (when defined) by number, then the activation; sums may be parts.
  void complete(const Lanes& parts, const Lanes& first, const at::Tensor& first_index, const Lanes& second,
                const at::Tensor& second_index, const Lanes& sums, Workspace& workspace) const;
  // From complete sums, which are used up, to out (rows, outputs) float32 contiguous; with `add`, out += the result.
  void finish(const Lanes& sums, at::Tensor out, bool add, Workspace& workspace) const;

 private:
  std::array<std::vector<Linear>, 2> lanes_;  // by part
  bool gated_ = false;
  checkpoint::Activation activation_ = checkpoint::Activation::identity;  // of the first lane
  Sequential rest_;
};

// Rows [begin, begin + count) of every lane.
Lanes narrowed(const Lanes& lanes, std::int64_t begin, std::int64_t count);

}  // namespace tradewind::nn
