#include "worker/inputs/repeated_dates.h"

#include <ATen/ATen.h>

namespace tradewind::inputs {

RepeatedDates::RepeatedDates(const config::RepeatedDatesConfig& config, const InputContext& context)
    : date_(config.date), source_(make_input(*config.source, context)) {}

at::Tensor RepeatedDates::read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                               const dist::RowRange& rows) {
  return source_->read(variables, {date_}, rows).expand({static_cast<std::int64_t>(dates.size()), -1, -1});
}

}  // namespace tradewind::inputs
