// The sizes that mappers and processors of every family have, for those who report or estimate and compute nothing.
// Pure, thread-safe. Results refer to the description.
#pragma once

#include <cstdint>
#include <optional>

#include "common/checkpoint/description.h"

namespace tradewind::checkpoint {

struct MapperSizes {
  const GraphDescription* graph = nullptr;  // null: the family has no edges
  std::int64_t channels = 0;
  std::int64_t heads = 0;      // 0: no attention
  std::int64_t attention = 0;  // width of queries, keys and values
};
MapperSizes sizes_of(const MapperDescription& mapper);

struct ProcessorSizes {
  const GraphDescription* graph = nullptr;
  std::int64_t layers = 0, channels = 0, heads = 0, attention = 0;
  bool by_position = false;            // attention by distance in the order of rows
  std::optional<std::int64_t> window;  // of the first layer
};
ProcessorSizes sizes_of(const ProcessorDescription& processor);

// Values of the weights of all linear layers, and of those that are packed at load.
struct LinearSizes {
  std::int64_t values = 0, packed = 0;
};
LinearSizes linear_sizes(const ModelDescription& model);
// Of a row of level 0 where encoders, trunk and decoders meet.
std::int64_t latent_width(const ModelDescription& model);

}  // namespace tradewind::checkpoint
