// Family: transformer over the hidden nodes with (sliding window) self-attention, anemoi-models 0.2 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

ProcessorDescription read_transformer_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends);
MapperResult read_transformer_mapper(const Node& node, const Scope& scope, const MapperEnds& ends);

}  // namespace tradewind::checkpoint
