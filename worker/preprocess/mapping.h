// Functions by which single variables are remapped, and back. Formulas: checkpoint::Mapping.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"

namespace tradewind::preprocess {

// x float32, any shape and strides, in place. UserError naming the column when the function is not defined for a value.
void map_forward(const checkpoint::RemappedColumn& column, at::Tensor x);
void map_back(const checkpoint::RemappedColumn& column, at::Tensor x);

}  // namespace tradewind::preprocess
