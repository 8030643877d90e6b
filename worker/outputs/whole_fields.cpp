#include "worker/outputs/whole_fields.h"

#include <ATen/ATen.h>

#include "worker/dist/transpose.h"

namespace tradewind::outputs {

std::vector<at::Tensor> whole_fields(dist::Communicator& communicator, const fields::State& state,
                                     const std::vector<std::int64_t>& positions) {
  std::vector<at::Tensor> values;
  if (communicator.size() == 1) {
    for (const std::int64_t position : positions) values.push_back(state.values[position]);
    return values;
  }
  const bool all = static_cast<std::int64_t>(positions.size()) == state.values.size(0);
  const at::Tensor rows = all ? state.values : state.values.index_select(0, at::tensor(positions, at::kLong));
  dist::FieldLayout layout{.owners = {}, .row_counts = state.grid->rows.counts(), .max_bytes = exchange_bytes};
  for (std::size_t i = 0; i < positions.size(); ++i) layout.owners.push_back(static_cast<int>(i) % communicator.size());
  dist::fields_to_owners(
      communicator, rows.to(at::kCPU, at::kFloat), layout,
      [&](const std::vector<std::int64_t>& some, const at::Tensor& whole) {
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(some.size()); ++i) values.push_back(whole[i]);
      },
      "output.fields");
  return values;
}

}  // namespace tradewind::outputs
