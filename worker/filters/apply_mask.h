// Where a mask means that a value is to go: of a file, a field, or the values themselves. Errors: UserError naming the
// file.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "common/config/filters/transform_kinds.h"
#include "worker/fields/rows.h"

namespace tradewind::filters {

// Of the mask's file: a .npy file, else the first field of a GRIB file.
std::vector<bool> read_mask_of(const config::ApplyMask& config);
// Of a field in memory.
at::Tensor meant_by_mask(const at::Tensor& field, const config::ApplyMask& config);
at::Tensor rows_of_mask(const std::vector<bool>& mask, const dist::RowRange& rows);
// NaN where the mask is true.
at::Tensor with_gaps(const at::Tensor& values, const at::Tensor& mask);

}  // namespace tradewind::filters
