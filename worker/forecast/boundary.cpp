#include "worker/forecast/boundary.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

namespace tradewind::forecast {

Boundary::Boundary(std::shared_ptr<inputs::Input> input, const std::vector<double>& mask, const dist::RowRange& own)
    : input_(std::move(input)), own_(own), empty_(std::find(mask.begin(), mask.end(), 0.0) == mask.end()) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = own.begin; row < own.end; ++row)
    if (mask.at(static_cast<std::size_t>(row)) == 0) rows.push_back(row - own.begin);
  rows_ = at::tensor(rows, at::kLong);
}

void Boundary::put(at::Tensor& x, std::int64_t time, const NamedColumns& prognostic, Time valid) const {
  const at::Tensor fields = input_->read(prognostic.names, {valid}, own_).select(0, 0);  // (rows, variables)
  const at::Tensor columns = at::tensor(prognostic.columns, at::kLong);
  x.select(0, time).index_put_({rows_.unsqueeze(1).to(x.device()), columns.unsqueeze(0).to(x.device())},
                               fields.index_select(0, rows_).to(x.device()));
}

}  // namespace tradewind::forecast
