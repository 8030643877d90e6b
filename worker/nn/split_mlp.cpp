#include "worker/nn/split_mlp.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "common/errors.h"
#include "worker/nn/activation.h"

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
                             config::Precision precision) {
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

checkpoint::SequentialDescription without_first(const checkpoint::SequentialDescription& description) {
  return {{description.layers.begin() + (description.layers.empty() ? 0 : 1), description.layers.end()}};
}

}  // namespace

SplitMlp::SplitMlp(const checkpoint::SequentialDescription& description, const std::vector<std::int64_t>& widths,
                   config::Precision precision)
    : rest_(without_first(description), precision) {
  if (description.layers.empty()) throw InternalFault("an MLP without layers");
  const checkpoint::SequentialLayer& first = description.layers.front();
  if (const auto* linear = std::get_if<checkpoint::LinearDescription>(&first)) {
    lanes_[0] = parts_of(*linear, widths, precision);
  } else if (const auto* gated = std::get_if<checkpoint::GatedDescription>(&first)) {
    gated_ = true;
    gate_ = gated->activation;
    lanes_ = {parts_of(gated->gate, widths, precision), parts_of(gated->value, widths, precision)};
  } else {
    throw InternalFault("an MLP that does not begin with a linear or gated layer");
  }
}

std::int64_t SplitMlp::widest() const { return std::max(width(), rest_.widest()); }

void SplitMlp::project(std::size_t part, const at::Tensor& x, const Lanes& sums, Workspace& workspace) const {
  for (int lane = 0; lane < lanes(); ++lane) lanes_[lane].at(part)(x, sums[lane], workspace);
}

void SplitMlp::add_product(std::size_t part, const at::Tensor& x, const Lanes& sums, Workspace& workspace) const {
  for (int lane = 0; lane < lanes(); ++lane) lanes_[lane].at(part).add_product(x, sums[lane], workspace);
}

void SplitMlp::finish(const Lanes& sums, at::Tensor out, bool add, Workspace& workspace) const {
  at::Tensor hidden = sums[0];
  if (gated_) {
    activate(gate_, hidden);
    hidden.mul_(sums[1]);
  }
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
