#include "common/checkpoint/input_columns.h"

#include "common/errors.h"

namespace tradewind::checkpoint {

std::int64_t node_columns(const NodeDescription& nodes) {
  return nodes.coordinates.shape.at(1) + (nodes.trainable ? nodes.trainable->shape.at(1) : 0);
}

std::int64_t columns_of(const DatasetDescription& dataset, InputFeature feature) {
  switch (feature) {
    case InputFeature::variables:
      return dataset.input_steps * dataset.input_variables;
    case InputFeature::target:
      return dataset.output_steps * dataset.output_variables;
    case InputFeature::residual:
      return static_cast<std::int64_t>(dataset.prognostic_input.size());
    case InputFeature::node_attributes:
      return node_columns(dataset.nodes);
    case InputFeature::forecast_step:
      return 1;
  }
  throw InternalFault("an input feature without columns");
}

std::int64_t input_columns(const DatasetDescription& dataset) {
  std::int64_t columns = 0;
  for (const InputFeature feature : dataset.input_features) columns += columns_of(dataset, feature);
  return columns;
}

std::optional<std::int64_t> first_column(const DatasetDescription& dataset, InputFeature feature) {
  std::int64_t column = 0;
  for (const InputFeature each : dataset.input_features) {
    if (each == feature) return column;
    column += columns_of(dataset, each);
  }
  return std::nullopt;
}

}  // namespace tradewind::checkpoint
