#include "worker/nn/target_rows.h"

#include <ATen/ATen.h>

#include <numeric>

#include "common/checkpoint/input_columns.h"
#include "common/errors.h"

namespace tradewind::nn {
namespace {

using checkpoint::TargetFeature;

// The same variables at every input time, oldest first.
std::vector<std::int64_t> at_every_time(const std::vector<std::int64_t>& variables,
                                        const checkpoint::DatasetDescription& dataset) {
  std::vector<std::int64_t> columns;
  const std::int64_t first = checkpoint::first_column(dataset, checkpoint::InputFeature::variables).value();
  for (std::int64_t step = 0; step < dataset.input_steps; ++step) {
    for (const std::int64_t variable : variables) columns.push_back(first + step * dataset.input_variables + variable);
  }
  return columns;
}

std::vector<std::int64_t> consecutive(std::int64_t begin, std::int64_t count) {
  std::vector<std::int64_t> columns(static_cast<std::size_t>(count));
  std::iota(columns.begin(), columns.end(), begin);
  return columns;
}

std::vector<std::int64_t> columns_of(TargetFeature feature, const checkpoint::DatasetDescription& dataset) {
  const auto nodes = checkpoint::first_column(dataset, checkpoint::InputFeature::node_attributes);
  if (!nodes) throw InternalFault("rows of an encoder without the nodes' attributes");
  const std::int64_t coordinates = *nodes, trainable = coordinates + 4;
  const std::int64_t trainables = checkpoint::node_columns(dataset.nodes) - 4;
  switch (feature) {
    case TargetFeature::encoded_data:
      return consecutive(0, checkpoint::input_columns(dataset));
    case TargetFeature::prognostics:
      return at_every_time(dataset.prognostic_input, dataset);
    case TargetFeature::forcings:
      return at_every_time(dataset.forcing_input, dataset);
    case TargetFeature::coordinates:
      return consecutive(coordinates, 4);
    case TargetFeature::trainable_parameters:
      return consecutive(trainable, trainables);
  }
  throw InternalFault("a target feature without columns");
}

}  // namespace

TargetColumns::TargetColumns(const std::vector<TargetFeature>& features,
                             const checkpoint::DatasetDescription& dataset) {
  for (const TargetFeature feature : features) {
    parts_.push_back({feature == TargetFeature::encoded_data, at::tensor(columns_of(feature, dataset), at::kLong)});
  }
}

TargetRows::TargetRows(const TargetColumns& columns, const RowSource& input, const RowSource* encoded)
    : columns_(columns), input_(input), encoded_(encoded) {
  for (const TargetColumns::Part& part : columns_.parts()) {
    width_ += is_input(part) ? part.columns.size(0) : encoded_->columns();
  }
}

void TargetRows::rows(const at::Tensor& which, at::Tensor out) const {
  const auto& parts = columns_.parts();
  if (parts.size() == 1 && parts.front().encoded) {
    (encoded_ ? *encoded_ : input_).rows(which, std::move(out));
    return;
  }
  at::Tensor input;  // read when a part first needs it
  std::int64_t column = 0;
  for (const TargetColumns::Part& part : parts) {
    if (is_input(part)) {
      if (!input.defined()) {
        input = at::empty({which.size(0), input_.columns()}, out.options());
        input_.rows(which, input);
      }
      out.narrow(1, column, part.columns.size(0)).copy_(input.index_select(1, part.columns));
      column += part.columns.size(0);
    } else {
      at::Tensor encoded = at::empty({which.size(0), encoded_->columns()}, out.options());
      encoded_->rows(which, encoded);
      out.narrow(1, column, encoded.size(1)).copy_(encoded);
      column += encoded.size(1);
    }
  }
}

}  // namespace tradewind::nn
