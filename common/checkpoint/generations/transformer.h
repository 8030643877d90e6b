// Family: transformer over the hidden nodes with (sliding window) self-attention, anemoi-models 0.2 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

ProcessorDescription read_transformer_processor(const Node& node, const Scope& scope, const ProcessorSite& site);
MapperResult read_transformer_mapper(const Node& node, const Scope& scope, const MapperSite& site);

}  // namespace tradewind::checkpoint
