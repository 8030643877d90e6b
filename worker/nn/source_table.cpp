#include "worker/nn/source_table.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "worker/nn/operations.h"

namespace tradewind::nn {

TableRows table_rows(const std::vector<std::int64_t>& ascending, std::int64_t own_rows) {
  TableRows table;
  table.own = std::lower_bound(ascending.begin(), ascending.end(), own_rows) - ascending.begin();
  table.rows = at::tensor(ascending, at::kLong);
  table.rows.slice(0, table.own).sub_(own_rows);
  return table;
}

void SourceTable::rows(const TableRows& which, std::int64_t begin, at::Tensor out) const {
  const std::int64_t count = out.size(0), own = std::clamp<std::int64_t>(which.own - begin, 0, count);
  if (own > 0) own_.rows(which.rows.narrow(0, begin, own), out.narrow(0, 0, own));
  if (own < count) {
    operations_.gather_rows(halo_, which.rows.narrow(0, begin + own, count - own), out.narrow(0, own, count - own));
  }
}

SourceHalo::SourceHalo(const dist::Shards& owners, const std::vector<std::int64_t>& needed,
                       dist::Communicator& communicator, std::string place)
    : plan_(owners, needed, communicator, place + " plan"),
      send_(at::tensor(plan_.rows_to_send(), at::kLong)),
      place_(std::move(place)) {}

at::Tensor SourceHalo::fetch(const RowSource& own, dist::Communicator& communicator, std::string_view place) const {
  at::Tensor selected = at::empty({send_.size(0), own.columns()}, send_.options().dtype(at::kFloat));
  if (selected.size(0) > 0) own.rows(send_, selected);
  return plan_.exchange_selected(selected, communicator, place);
}

}  // namespace tradewind::nn
