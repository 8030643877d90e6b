#include "worker/nn/split_mlp.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "common/errors.h"
#include "worker/nn/activation.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {
namespace {

// Columns [begin, begin + count) of the weight, no copy.
checkpoint::LinearDescription part_of(const checkpoint::LinearDescription& whole, std::int64_t begin,
                                      std::int64_t count, bool last) {
  checkpoint::LinearDescription part = whole;
  part.weight.shape.at(1) = count;
  part.weight.data +=
      begin * whole.weight.strides.at(1) * static_cast<std::int64_t>(checkpoint::size_of(whole.weight.dtype));
  if (!last) part.bias.reset();
  return part;
}

std::vector<Linear> parts_of(const checkpoint::LinearDescription& whole, const std::vector<std::int64_t>& widths,
                             Precision precision) {
  const std::int64_t inputs = std::accumulate(widths.begin(), widths.end(), std::int64_t{0});
  if (whole.weight.shape.size() != 2 || whole.weight.shape[1] != inputs) {
    throw UserError("an MLP does not take " + std::to_string(inputs) + " values", whole.weight.path,
                    "the checkpoint is damaged or of an unknown layout");
  }
  std::vector<Linear> parts;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    parts.emplace_back(part_of(whole, begin, widths[i], i + 1 == widths.size()), precision);
    begin += widths[i];
  }
  return parts;
}

// The activation of the first layer's sums: the gate's, or what follows a linear layer.
checkpoint::Activation first_activation(const checkpoint::SequentialDescription& description) {
  if (description.layers.empty()) throw InternalFault("an MLP without layers");
  if (const auto* gated = std::get_if<checkpoint::GatedDescription>(&description.layers.front())) {
    return gated->activation;
  }
  if (description.layers.size() > 1) {
    if (const auto* next = std::get_if<checkpoint::Activation>(&description.layers[1])) return *next;
  }
  return checkpoint::Activation::identity;
}

// The layers after the sums and their activation.
checkpoint::SequentialDescription rest_of(const checkpoint::SequentialDescription& description) {
  auto next = description.layers.begin() + 1;
  if (std::holds_alternative<checkpoint::LinearDescription>(*description.layers.begin()) &&
      next != description.layers.end() && std::holds_alternative<checkpoint::Activation>(*next)) {
    ++next;
  }
  return {{next, description.layers.end()}};
}

}  // namespace

SplitMlp::SplitMlp(const checkpoint::SequentialDescription& description, const std::vector<std::int64_t>& widths,
                   Precision precision)
    : activation_(first_activation(description)), rest_(rest_of(description), precision) {
  const checkpoint::SequentialLayer& first = description.layers.front();
  if (const auto* linear = std::get_if<checkpoint::LinearDescription>(&first)) {
    lanes_[0] = parts_of(*linear, widths, precision);
  } else if (const auto* gated = std::get_if<checkpoint::GatedDescription>(&first)) {
    gated_ = true;
    lanes_ = {parts_of(gated->gate, widths, precision), parts_of(gated->value, widths, precision)};
  } else {
    throw InternalFault("an MLP that does not begin with a linear or gated layer");
  }
}

std::int64_t SplitMlp::widest() const { return std::max(width(), rest_.widest()); }

void SplitMlp::project(std::size_t part, const at::Tensor& x, const Lanes& sums, Workspace& workspace) const {
  for (int lane = 0; lane < lanes(); ++lane) lanes_[lane].at(part)(x, sums[lane], workspace);
}

void SplitMlp::complete(std::size_t part, const at::Tensor& x, const Lanes& sums, Workspace& workspace) const {
  lanes_[0].at(part).add_product(x, sums[0], workspace, activation_);
  if (gated_) lanes_[1].at(part).add_product(x, sums[1], workspace);
}

void SplitMlp::complete(const Lanes& parts, const Lanes& first, const at::Tensor& first_index, const Lanes& second,
                        const at::Tensor& second_index, const Lanes& sums, Workspace& workspace) const {
  const bool gelu = activation_ == checkpoint::Activation::gelu;
  for (int lane = 0; lane < lanes(); ++lane) {
    workspace.operations().sum_gathered_rows(parts[lane], {first[lane], first_index}, {second[lane], second_index},
                                             lane == 0 && gelu, sums[lane]);
  }
  at::Tensor activated = sums[0];
  if (!gelu) activate(activation_, activated, workspace);
}

void SplitMlp::finish(const Lanes& sums, at::Tensor out, bool add, Workspace& workspace) const {
  const at::Tensor& hidden = sums[0];
  if (gated_) hidden.mul_(sums[1]);
  rest_.consume(hidden, std::move(out), add, workspace);
}

Lanes narrowed(const Lanes& lanes, std::int64_t begin, std::int64_t count) {
  Lanes part;
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    if (lanes[lane].defined()) part[lane] = lanes[lane].narrow(0, begin, count);
  }
  return part;
}

}  // namespace tradewind::nn
