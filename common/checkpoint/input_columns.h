// Which columns of the rows that an encoder reads hold what. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "common/checkpoint/description.h"

namespace tradewind::checkpoint {

// Coordinates and trainable values of nodes.
std::int64_t node_columns(const NodeDescription& nodes);
std::int64_t columns_of(const DatasetDescription& dataset, InputFeature feature);
// Of all features.
std::int64_t input_columns(const DatasetDescription& dataset);
// The first column of a feature, which may stand there more than once; absent when it is not among the dataset's.
std::optional<std::int64_t> first_column(const DatasetDescription& dataset, InputFeature feature);

}  // namespace tradewind::checkpoint
