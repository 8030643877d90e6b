#include "tests/unit/nn/kernel_cases.h"

#include <doctest/doctest.h>

#include <cmath>

namespace tradewind::kernels {
const KernelSet& set_wide();  // the widest vectors' code
}

namespace tradewind::testing {

using kernels::KernelSet;
using kernels::KernelSets;

std::vector<const KernelSet*> all_sets() {
  const KernelSets list = kernels::kernel_sets();
  std::vector<const KernelSet*> all(list.sets, list.sets + list.count);
  all.push_back(&kernels::set_wide());
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
