#include "tests/unit/nn/kernel_cases.h"

#include <doctest/doctest.h>

#include <cmath>

namespace tradewind::nn::kernels {
const Table& table_wide();  // the widest vectors' code
}

namespace tradewind::testing {

using nn::kernels::Table;
using nn::kernels::TableList;

std::vector<const Table*> all_tables() {
  const TableList list = nn::kernels::tables();
  std::vector<const Table*> all(list.tables, list.tables + list.count);
  all.push_back(&nn::kernels::table_wide());
  return all;
}

void check_close(const std::vector<float>& ours, const std::vector<double>& expected, double limit) {
  REQUIRE(ours.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(ours[i] - expected[i]);
    worst = difference <= worst ? worst : difference;  // NaN becomes the worst
  }
  CHECK(worst < limit);
}

}  // namespace tradewind::testing
