// Readers of what works on the variables of the data, outside the network: residual connection, boundings and
// pre-processors. anemoi-models 0.2 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

ResidualDescription read_skip_residual(const Node& node, const ModelSizes& sizes);
BoundingDescription read_relu_bounding(const Node& node, const ModelSizes& sizes);
BoundingDescription read_hardtanh_bounding(const Node& node, const ModelSizes& sizes);
PreprocessorDescription read_normalizer(const Node& node, const ModelSizes& sizes);

}  // namespace tradewind::checkpoint
