#include "worker/forecast/advance.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::forecast;

namespace {

// value = 100 * row of time + 10 * grid row + column
at::Tensor numbered(std::int64_t times, std::int64_t rows, std::int64_t columns, float offset) {
  at::Tensor values = at::empty({times, rows, columns}, at::kFloat);
  auto access = values.accessor<float, 3>();
  for (std::int64_t t = 0; t < times; ++t) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) access[t][r][c] = offset + 100 * t + 10 * r + c;
    }
  }
  return values;
}

}  // namespace

TEST_CASE("the checkpoint's map is counted from the start and checked") {
  using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
  checkpoint::TimeStepping time;
  time.input_to_input = {{-1, 0}};
  time.output_to_input = {{-1, 1}, {0, -2}};
  const AdvanceMap map = advance_map(time, 2, 3);
  CHECK(map.input_to_input == Pairs{{1, 0}});
  CHECK(map.output_to_input == Pairs{{2, 1}, {0, 0}});
  time.output_to_input = {{3, 1}};
  CHECK_THROWS_WITH_AS(advance_map(time, 2, 3), doctest::Contains("row 3 of 3"), UserError);
  time.output_to_input = {{0, -3}};
  CHECK_THROWS_WITH_AS(advance_map(time, 2, 3), doctest::Contains("row -3 of 2"), UserError);
}

TEST_CASE("advancing moves rows of time and takes only prognostic columns from the output") {
  at::Tensor x = numbered(2, 3, 4, 0);
  const at::Tensor y = numbered(1, 3, 3, 5000);
  // output column 2 is input column 0, output column 0 is input column 3
  advance(x, y, {{{1, 0}}, {{0, 1}}}, {{2, 0}, {0, 3}});
  const auto access = x.accessor<float, 3>();
  for (std::int64_t row = 0; row < 3; ++row) {
    for (std::int64_t column = 0; column < 4; ++column) CHECK(access[0][row][column] == 100 + 10 * row + column);
    CHECK(access[1][row][0] == 5000 + 10 * row + 2);
    CHECK(access[1][row][1] == 100 + 10 * row + 1);
    CHECK(access[1][row][2] == 100 + 10 * row + 2);
    CHECK(access[1][row][3] == 5000 + 10 * row);
  }
}

TEST_CASE("off the CPU the state advances likewise") {
  at::Tensor x = at::randn({2, 5, 4}), other = x.clone();
  const at::Tensor y = at::randn({2, 5, 3});
  const AdvanceMap map{{{1, 0}}, {{1, 1}}};
  advance(x, y, map, {{2, 0}, {0, 3}});
  put_columns(x, 1, {1, 2}, y.select(0, 0).narrow(1, 0, 2).t());
  other.select(0, 0).copy_(other.select(0, 1));  // the map's input rows
  advance_by_index(other, y, map, {{2, 0}, {0, 3}});
  put_columns_by_index(other, 1, {1, 2}, y.select(0, 0).narrow(1, 0, 2).t());
  CHECK(at::equal(x, other));
}

TEST_CASE("several outputs fill several input rows, the latest last") {
  at::Tensor x = numbered(2, 2, 1, 0);
  advance(x, numbered(3, 2, 1, 5000), {{}, {{2, 1}, {1, 0}}}, {{0, 0}});
  const auto access = x.accessor<float, 3>();
  CHECK(access[0][1][0] == 5110);
  CHECK(access[1][1][0] == 5210);
}

TEST_CASE("a dataset without prognostic variables keeps its inputs' rows moving, whatever the output") {
  at::Tensor x = numbered(2, 2, 1, 0);
  advance(x, at::Tensor(), {{{1, 0}}, {{0, 1}}}, {});
  const auto access = x.accessor<float, 3>();
  CHECK(access[0][1][0] == 110);
  CHECK(access[1][1][0] == 110);
}
