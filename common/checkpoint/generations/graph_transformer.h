// Family: graph transformer (mappers of AIFS-single and its kin, and processor), anemoi-models 0.2 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

MapperResult read_graph_transformer_mapper(const Node& node, const Scope& scope, const MapperEnds& ends);
ProcessorDescription read_graph_transformer_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends);

}  // namespace tradewind::checkpoint
