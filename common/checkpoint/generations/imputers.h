// Readers of the pre-processors that replace missing values. anemoi-models 0.2 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

// InputImputer, ConstantImputer, CopyImputer, and the Dynamic... ones, which do not restore missing values in the
// output.
PreprocessorDescription read_imputer(const Node& node, const Scope& scope, const ModelSizes& sizes);

}  // namespace tradewind::checkpoint
