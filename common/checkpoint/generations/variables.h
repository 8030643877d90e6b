// Readers of the residual connection and the normaliser. anemoi-models 0.2 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

ResidualDescription read_skip_residual(const Node& node, const ModelSizes& sizes);
PreprocessorDescription read_normalizer(const Node& node, const Scope& scope, const ModelSizes& sizes);

}  // namespace tradewind::checkpoint
