// Readers of the pre-processors that map single variables by a function and back. anemoi-models 0.3 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

PreprocessorDescription read_remapper(const Node& node, const Scope& scope, const ModelSizes& sizes);

}  // namespace tradewind::checkpoint
