// Readers of limits on columns of the model's output: boundings of the model, and the functions of post-processors.
// anemoi-models 0.3 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

// ReluBounding, LeakyReluBounding, and these with thresholds (Normalized...).
BoundingDescription read_relu_bounding(const Node& node, const ModelSizes& sizes);
// HardtanhBounding, FractionBounding, and the leaky ones of both.
BoundingDescription read_hardtanh_bounding(const Node& node, const ModelSizes& sizes);
// A function of a post-processor, applied to one column.
BoundingDescription read_limit(const Node& function, std::int64_t column);

}  // namespace tradewind::checkpoint
