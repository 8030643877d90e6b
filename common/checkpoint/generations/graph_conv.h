// Family: message passing with MLPs for edges and nodes (GNN mappers and processor), anemoi-models 0.3 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

MapperResult read_graph_conv_mapper(const Node& node, const Scope& scope, const MapperEnds& ends);
ProcessorDescription read_graph_conv_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends);

}  // namespace tradewind::checkpoint
