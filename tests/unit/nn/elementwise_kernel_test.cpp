// Layer norm, GELU and products of every instruction set against plain sums in double precision.
#include "worker/kernels/kernels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/unit/nn/kernel_cases.h"

using namespace tradewind::kernels;
using namespace tradewind::testing;

TEST_CASE("layer norm") {
  for (const KernelSet* set : all_sets()) {
    for (const std::int64_t size : {1, 4, 5, 8, 16, 32, 37, 64, 512}) {
      Random random(3);
      std::vector<float> x = random.floats(6 * size, 3);  // six rows: not a multiple of those in a vector
      for (float& value : x) value += 100;                // the mean must be taken out before squaring
      const auto weight = random.floats(size), bias = random.floats(size);
      std::vector<double> expected;
      for (std::int64_t row = 0; row < 6; ++row) {
        double mean = 0, variance = 0;
        for (std::int64_t c = 0; c < size; ++c) mean += x[row * size + c] / static_cast<double>(size);
        for (std::int64_t c = 0; c < size; ++c) variance += std::pow(x[row * size + c] - mean, 2) / size;
        for (std::int64_t c = 0; c < size; ++c) {
          expected.push_back((x[row * size + c] - mean) / std::sqrt(variance + 1e-5) * weight[c] + bias[c]);
        }
      }
      set->layer_norm(x.data(), x.data(), 6, size, weight.data(), bias.data(), 1e-5F);
      CAPTURE(set->name);
      check_close(x, expected, 5e-5);
    }
  }
}

TEST_CASE("GELU, erf form") {
  for (const KernelSet* set : all_sets()) {
    std::vector<float> x;
    for (int i = -1200; i <= 1203; ++i) x.push_back(static_cast<float>(i) * 0.01F);
    x.push_back(-80);
    x.push_back(1e5F);
    std::vector<double> expected;
    expected.reserve(x.size());
    for (const float value : x) expected.push_back(0.5 * value * (1 + std::erf(value / std::sqrt(2.0))));
    expected.back() = 1e5;
    set->gelu(x.data(), static_cast<std::int64_t>(x.size()));
    CAPTURE(set->name);
    check_close(x, expected, 1e-6);
  }
}

TEST_CASE("GELU of infinity is infinity, of what is no number none") {
  for (const KernelSet* set : all_sets()) {
    std::vector<float> x(19, std::numeric_limits<float>::infinity());
    x[3] = std::numeric_limits<float>::quiet_NaN();
    x[5] = 1e30F;
    set->gelu(x.data(), static_cast<std::int64_t>(x.size()));
    CHECK(std::isinf(x[0]));
    CHECK(std::isinf(x[18]));
    CHECK(std::isnan(x[3]));
    CHECK(x[5] == 1e30F);
  }
}

TEST_CASE("products with packed weights: bias, what was there before, GELU") {
  for (const KernelSet* set : all_sets()) {
    // rows: none, single ones, parts of tiles, more than a block; outputs that fill no vector, one, or several panels
    for (const std::int64_t rows : {0, 1, 5, 17, 100, 203}) {
      for (const std::int64_t outputs : {1, 4, 16, 33, 64, 100}) {
        for (const bool add : {false, true}) {
          const std::int64_t inputs = 1 + (rows + outputs) % 40, stride = inputs + 3;
          Random random(5);
          const auto x = random.floats(rows * inputs), weight = random.floats(outputs * stride),
                     bias = random.floats(outputs), before = random.floats(rows * outputs + 1);
          std::vector<float> packed_weight(set->packed_weight_size(inputs, outputs), NAN), out = before;
          set->pack_weight(weight.data(), stride, inputs, outputs, packed_weight.data());
          Product p;
          p.x = x.data();
          p.weight = packed_weight.data();
          p.bias = outputs % 2 ? bias.data() : nullptr;
          p.out = out.data();
          p.rows = rows;
          p.inputs = inputs;
          p.outputs = outputs;
          p.add = add;
          p.gelu = rows % 2;
          set->product(p);
          std::vector<double> expected;
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t c = 0; c < outputs; ++c) {
              double sum = add ? before[r * outputs + c] : 0;
              if (p.bias) sum += bias[c];
              for (std::int64_t k = 0; k < inputs; ++k) sum += double{x[r * inputs + k]} * weight[c * stride + k];
              expected.push_back(p.gelu ? 0.5 * sum * (1 + std::erf(sum / std::sqrt(2.0))) : sum);
            }
          }
          expected.push_back(before.back());  // nothing is written behind the last row
          CAPTURE(set->name);
          CAPTURE(rows);
          CAPTURE(outputs);
          check_close(out, expected, 2e-5);
        }
      }
    }
  }
}
