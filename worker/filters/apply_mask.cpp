#include "worker/filters/apply_mask.h"

#include <ATen/ATen.h>

#include <limits>
#include <string>

#include "common/errors.h"
#include "worker/filters/mask.h"
#include "worker/grib/index.h"

namespace tradewind::filters {
namespace {

template <typename Values>
auto meant(const Values& mask, const config::ApplyMask& config) {
  if (config.value) return mask == *config.value;
  const std::string& how = config.comparison;
  const double threshold = *config.threshold;
  if (how == ">" || how == "gt") return mask > threshold;
  if (how == "<" || how == "lt") return mask < threshold;
  if (how == ">=" || how == "ge") return mask >= threshold;
  if (how == "<=" || how == "le") return mask <= threshold;
  return how == "==" || how == "eq" ? mask == threshold : mask != threshold;
}

NumpyField read_first_field(const std::string& path) {
  const grib::Index index(grib::scan_files({path}));
  if (index.messages().empty()) throw UserError("the mask's file holds no GRIB message", path, "check the path");
  return {index.open(index.messages().front()).values_double(), false};
}

}  // namespace

std::vector<bool> read_mask_of(const config::ApplyMask& config) {
  const NumpyField field = config.path->ends_with(".npy") ? read_numpy(*config.path) : read_first_field(*config.path);
  config::ApplyMask rounded = config;
  // A number beside a float32 array is one itself.
  for (std::optional<double>* number : {&rounded.value, &rounded.threshold})
    if (field.single && *number) *number = static_cast<double>(static_cast<float>(**number));
  std::vector<bool> mask;
  mask.reserve(field.values.size());
  for (const double value : field.values) mask.push_back(meant(value, rounded));
  return mask;
}

at::Tensor meant_by_mask(const at::Tensor& field, const config::ApplyMask& config) { return meant(field, config); }

at::Tensor rows_of_mask(const std::vector<bool>& mask, const dist::RowRange& rows) {
  at::Tensor own = at::empty({rows.size()}, at::kBool);
  bool* to = own.mutable_data_ptr<bool>();
  for (std::int64_t row = rows.begin; row < rows.end; ++row) *to++ = mask[static_cast<std::size_t>(row)];
  return own;
}

at::Tensor with_gaps(const at::Tensor& values, const at::Tensor& mask) {
  return values.masked_fill(mask, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace tradewind::filters
