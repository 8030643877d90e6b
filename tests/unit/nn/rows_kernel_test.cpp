// Rows picked, scaled and summed by every instruction set against plain sums in double precision.
#include "worker/kernels/kernels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/unit/nn/kernel_cases.h"

using namespace tradewind::kernels;
using namespace tradewind::testing;

TEST_CASE("rows picked by number, and summed by runs") {
  for (const KernelSet* set : all_sets()) {
    for (const std::int64_t columns : {1, 7, 16, 45}) {
      Random random(11);
      const auto rows = random.floats(9 * columns), before = random.floats(5 * columns);
      const std::vector<std::int64_t> index{8, 0, 3, 3, 7}, first{2, 2, 4, 7};
      std::vector<float> picked(5 * columns, NAN), summed(3 * columns, NAN);
      set->gather(rows.data(), index.data(), 5, columns, picked.data());
      set->segment_sum(before.data(), first.data(), 3, columns, summed.data());
      std::vector<double> want_picked, want_summed;
      for (std::int64_t i = 0; i < 5 * columns; ++i) {
        want_picked.push_back(rows[index[i / columns] * columns + i % columns]);
      }
      for (std::int64_t s = 0; s < 3; ++s) {
        for (std::int64_t c = 0; c < columns; ++c) {
          double sum = 0;
          for (auto row = first[s]; row < first[s + 1]; ++row) sum += before[(row - first[0]) * columns + c];
          want_summed.push_back(sum);
        }
      }
      CAPTURE(set->name);
      CAPTURE(columns);
      check_close(picked, want_picked, 1e-30);
      check_close(summed, want_summed, 1e-6);
    }
  }
}

TEST_CASE("sums of rows and of rows picked by number from one table or two, and GELU of them") {
  for (const KernelSet* set : all_sets()) {
    for (const std::int64_t columns : {1, 7, 16, 45, 64}) {
      for (const bool two : {false, true}) {
        for (const bool gelu : {false, true}) {
          Random random(12);
          const auto start = random.floats(5 * columns), rows = random.floats(9 * columns),
                     other = random.floats(3 * columns);
          const std::vector<std::int32_t> index{8, 0, 3, 3, 7}, other_index{0, 0, 1, 2, 2};
          std::vector<float> out(5 * columns, NAN);
          GatheredSum sum;
          sum.start = start.data();
          sum.table = rows.data();
          sum.index = index.data();
          if (two) sum.other = other.data();
          sum.other_index = other_index.data();
          sum.out = out.data();
          sum.rows = 5;
          sum.columns = columns;
          sum.gelu = gelu;
          set->gathered_sum(sum);
          std::vector<double> expected;
          for (std::int64_t i = 0; i < 5 * columns; ++i) {
            double value = double{start[i]} + rows[index[i / columns] * columns + i % columns];
            if (two) value += other[other_index[i / columns] * columns + i % columns];
            expected.push_back(gelu ? 0.5 * value * (1 + std::erf(value / std::sqrt(2.0))) : value);
          }
          CAPTURE(set->name);
          CAPTURE(columns);
          CAPTURE(two);
          CAPTURE(gelu);
          check_close(out, expected, 1e-6);
          out = start;  // in place
          sum.start = out.data();
          set->gathered_sum(sum);
          check_close(out, expected, 1e-6);
        }
      }
    }
  }
}

TEST_CASE("rows scaled column by column into wider rows") {
  for (const KernelSet* set : all_sets()) {
    for (const std::int64_t columns : {1, 7, 16, 21, 45}) {
      Random random(13);
      const auto rows = random.floats(9 * columns), multiply = random.floats(columns), add = random.floats(columns);
      const std::vector<std::int64_t> index{8, 0, 3, 3, 7};
      const std::int64_t stride = columns + 2;
      for (const bool picked : {false, true}) {
        for (const bool scaled : {false, true}) {
          std::vector<float> out(5 * stride, -7);
          ScaledRows arguments;
          arguments.table = rows.data();
          arguments.index = picked ? index.data() : nullptr;
          arguments.multiply = scaled ? multiply.data() : nullptr;
          arguments.add = scaled ? add.data() : nullptr;
          arguments.out = out.data() + 1;
          arguments.rows = 5;
          arguments.columns = columns;
          arguments.out_stride = stride;
          set->scaled_rows(arguments);
          std::vector<double> expected(5 * stride, -7);  // what lies between the rows stays
          for (std::int64_t i = 0; i < 5; ++i) {
            for (std::int64_t c = 0; c < columns; ++c) {
              const double value = rows[(picked ? index[i] : i) * columns + c];
              expected[i * stride + 1 + c] = scaled ? value * multiply[c] + add[c] : value;
            }
          }
          CAPTURE(set->name);
          CAPTURE(columns);
          check_close(out, expected, 1e-6);
        }
      }
    }
  }
}

TEST_CASE("weighted sums of rows of two tables") {
  for (const KernelSet* set : all_sets()) {
    for (const std::int64_t columns : {1, 7, 16, 45}) {
      Random random(14);
      const auto own = random.floats(3 * columns), other = random.floats(2 * columns), weight = random.floats(5);
      const std::vector<std::int32_t> index{4, 0, 2, 3, 0};
      const std::vector<std::int64_t> first{7, 7, 10, 12};
      std::vector<float> out(3 * columns, NAN);
      WeightedRows sum;
      sum.own = own.data();
      sum.other = other.data();
      sum.first = first.data();
      sum.index = index.data();
      sum.weight = weight.data();
      sum.out = out.data();
      sum.own_rows = 3;
      sum.rows = 3;
      sum.columns = columns;
      set->weighted_sum(sum);
      std::vector<double> expected(3 * columns, 0);
      for (std::int64_t row = 0; row < 3; ++row) {
        for (auto e = first[row] - 7; e < first[row + 1] - 7; ++e) {
          const float* from = index[e] < 3 ? &own[index[e] * columns] : &other[(index[e] - 3) * columns];
          for (std::int64_t c = 0; c < columns; ++c) expected[row * columns + c] += double{weight[e]} * from[c];
        }
      }
      CAPTURE(set->name);
      CAPTURE(columns);
      check_close(out, expected, 1e-6);
    }
  }
}
