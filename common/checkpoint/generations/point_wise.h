// Family: point-wise mappers and processor, in which no row sees another. anemoi-models 0.13 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

MapperResult read_point_wise_mapper(const Node& node, const Scope& scope, const MapperEnds& ends);
ProcessorDescription read_point_wise_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends);

}  // namespace tradewind::checkpoint
