// What the tests of kernels share: every set of kernels, random values, and a comparison with plain sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "worker/kernels/kernels.h"

namespace tradewind::testing {

// Those of this machine, and the widest vectors' code, compiled for what this machine has.
std::vector<const kernels::KernelSet*> all_sets();

class Random {
 public:
  explicit Random(unsigned seed) : generator_(seed) {}
  std::vector<float> floats(std::size_t count, float scale = 1) {
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> values(count);
    for (float& value : values) value = normal(generator_);
    return values;
  }
  std::int64_t below(std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(generator_);
  }

 private:
  std::mt19937 generator_;
};

void check_close(const std::vector<float>& ours, const std::vector<double>& expected, double limit);

}  // namespace tradewind::testing
