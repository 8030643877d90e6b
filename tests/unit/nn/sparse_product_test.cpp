// Sparse products and truncated residuals against dense products, on one rank and on several.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "common/errors.h"
#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/over_ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/graph/sparse_rows.h"
#include "worker/nn/sparse_product.h"
#include "worker/nn/truncated_skip.h"

using namespace tradewind;
using namespace tradewind::checkpoint;
using tradewind::testing::assemble;
using tradewind::testing::Weights;
using tradewind::testing::world_sizes;
using tradewind::testing::worst;

namespace {

using Layout = SparseDescriptor::Layout;

// Random entries, the same place among them more than once; the last row has none. `dense` becomes their sum.
SparseDescriptor coordinates(Weights& weights, std::int64_t rows, std::int64_t columns, std::int64_t entries,
                             at::Tensor& dense) {
  const at::Tensor row = at::randint(rows - 1, {entries}, at::kLong),
                   column = at::randint(columns, {entries}, at::kLong);
  const at::Tensor values = at::randn({entries});
  dense = at::zeros({rows, columns}, at::kDouble);
  dense.view({-1}).index_add_(0, row * columns + column, values.to(at::kDouble));
  SparseDescriptor matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.row_indices = weights.keep(row);
  matrix.column_indices = weights.keep(column);
  matrix.values = weights.keep(values);
  matrix.path = "synthetic";
  return matrix;
}

SparseDescriptor compressed(Weights& weights, const at::Tensor& dense) {
  const at::Tensor filled = dense.ne(0), at = filled.nonzero();
  SparseDescriptor matrix;
  matrix.layout = Layout::compressed_rows;
  matrix.rows = dense.size(0);
  matrix.columns = dense.size(1);
  matrix.row_indices = weights.keep(at::cat({at::zeros({1}, at::kLong), filled.sum(1).cumsum(0)}));
  matrix.column_indices = weights.keep(at.select(1, 1).contiguous());
  matrix.values = weights.keep(dense.masked_select(filled).to(at::kFloat));
  matrix.path = "synthetic";
  return matrix;
}

at::Tensor product(const SparseDescriptor& matrix, const at::Tensor& x, int world_size) {
  return assemble(world_size, matrix.rows, x.size(1), [&](dist::Communicator& communicator) {
    const dist::Shards sources(matrix.columns, world_size), destinations(matrix.rows, world_size);
    const nn::SparseProduct times(matrix, sources, destinations, communicator, "product");
    const dist::RowRange own = sources.range(communicator.rank());
    return times(x.slice(0, own.begin, own.end).contiguous(), communicator, *testing::operations());
  });
}

}  // namespace

TEST_CASE("a sparse matrix times rows, whatever the layout and the number of ranks") {
  Weights weights(31);
  const std::vector<std::array<std::int64_t, 3>> sizes = {{40, 23, 200}, {5, 61, 90}, {7, 3, 4}};
  for (const auto& [rows, columns, entries] : sizes) {
    at::Tensor dense;
    const SparseDescriptor scattered = coordinates(weights, rows, columns, entries, dense);
    const SparseDescriptor packed = compressed(weights, dense);
    const at::Tensor x = at::randn({columns, 11}), expected = dense.matmul(x.to(at::kDouble));
    for (const SparseDescriptor& matrix : {scattered, packed}) {
      const at::Tensor alone = product(matrix, x, 1);
      CHECK(worst(alone, expected) < 3e-6);
      CHECK(alone[rows - 1].abs().max().item<float>() == 0);
      for (const int world_size : world_sizes) CHECK(product(matrix, x, world_size).equal(alone));
    }
  }
}

TEST_CASE("a rank is sent the rows that its entries reach, no full field") {
  // From every row of a fine grid to a coarse one and back: neighbours only, as a truncation has them.
  constexpr std::int64_t fine = 400, coarse = 100, width = 7;
  Weights weights(34);
  at::Tensor down = at::zeros({coarse, fine}, at::kDouble), up = at::zeros({fine, coarse}, at::kDouble);
  for (std::int64_t row = 0; row < fine; ++row) {
    for (const std::int64_t near : {row / 4, std::min(row / 4 + 1, coarse - 1)}) {
      down[near][row] = 0.25;
      up[row][near] = 0.5;
    }
  }
  const SparseDescriptor to_coarse = compressed(weights, down), to_fine = compressed(weights, up);
  const at::Tensor x = at::randn({fine, width}), expected = up.matmul(down.matmul(x.to(at::kDouble)));
  const at::Tensor made = assemble(4, fine, width, [&](dist::Communicator& communicator) {
    const dist::Shards grid(fine, 4), truncated(coarse, 4);
    const nn::SparseProduct first(to_coarse, grid, truncated, communicator, "down");
    const nn::SparseProduct second(to_fine, truncated, grid, communicator, "up");
    const dist::RowRange own = grid.range(communicator.rank());
    const std::int64_t before = communicator.statistics().total().bytes_received;
    const at::Tensor middle = first(x.slice(0, own.begin, own.end).contiguous(), communicator, *testing::operations());
    // The four rows before its own; of the way back the one behind.
    const std::int64_t after = communicator.statistics().total().bytes_received;
    CHECK(after - before == (communicator.rank() == 0 ? 0 : 4) * width * 4);
    const at::Tensor result = second(middle, communicator, *testing::operations());
    CHECK(communicator.statistics().total().bytes_received - after == (communicator.rank() == 3 ? 0 : 1) * width * 4);
    return result;
  });
  CHECK(worst(made, expected) < 3e-6);
}

TEST_CASE("rows of a sparse matrix: entries keep their order, and none lies outside") {
  Weights weights(32);
  SparseDescriptor matrix;
  matrix.rows = 3;
  matrix.columns = 4;
  matrix.row_indices = weights.keep(at::tensor({2, 1, 1, 0, 1}, at::kLong));
  matrix.column_indices = weights.keep(at::tensor({0, 3, 1, 2, 3}, at::kLong));
  matrix.values = weights.keep(at::tensor({1.F, 2.F, 3.F, 4.F, 5.F}));
  const graph::SparseRows rows = graph::rows_of(matrix, {1, 3});
  CHECK(rows.first == std::vector<std::int64_t>{0, 3, 4});
  CHECK(rows.column == std::vector<std::int32_t>{3, 1, 3, 0});
  CHECK(rows.weight.equal(at::tensor({2.F, 3.F, 5.F, 1.F})));
  CHECK(graph::rows_of(matrix, {3, 3}).rows() == 0);

  matrix.column_indices = weights.keep(at::tensor({0, 4, 1, 2, 3}, at::kLong));
  CHECK_THROWS_AS(graph::rows_of(matrix, {1, 3}), UserError);
  matrix.layout = Layout::compressed_rows;
  matrix.column_indices = weights.keep(at::tensor({0, 3, 1, 2, 3}, at::kLong));
  matrix.row_indices = weights.keep(at::tensor({0, 4, 3, 5}, at::kLong));
  CHECK_THROWS_AS(graph::rows_of(matrix, {0, 3}), UserError);
  matrix.row_indices = weights.keep(at::tensor({0, 2, 3, 9}, at::kLong));
  CHECK_THROWS_AS(graph::rows_of(matrix, {0, 3}), UserError);
}

TEST_CASE("a truncated skip is the latest input, normalised, through all matrices") {
  Weights weights(33);
  constexpr std::int64_t nodes = 37, coarse = 11, variables = 5;
  DatasetDescription dataset;
  dataset.nodes.count = nodes;
  dataset.input_steps = 2;
  dataset.input_variables = variables;
  dataset.output_variables = 3;
  dataset.prognostic_input = {4, 0, 2};
  dataset.prognostic_output = {0, 1, 2};
  const NormalizerDescription normalizer{{2, 1, 0.5F, 3, 4}, {1, 0, -1, 2, 3}, {1, 1, 1}, {0, 0, 0}};
  ImputerDescription imputer;
  imputer.columns = {{.input = 2, .output = 1, .mask = 2, .copied_from = {}, .value = 7}};
  at::Tensor down, up;
  const TruncatedResidualDescription residual{
      {coordinates(weights, coarse, nodes, 150, down), compressed(weights, at::randn({nodes, coarse}, at::kDouble))}};
  up = at::zeros({nodes, coarse}, at::kDouble);
  const auto filled = graph::rows_of(residual.matrices[1], {0, nodes});
  for (std::int64_t row = 0; row < nodes; ++row) {
    for (auto e = filled.first[static_cast<std::size_t>(row)]; e < filled.first[static_cast<std::size_t>(row + 1)];
         ++e) {
      up[row][filled.column[static_cast<std::size_t>(e)]] = filled.weight[e];
    }
  }
  for (const bool imputes : {false, true}) {
    dataset.preprocessors = {normalizer};
    dataset.postprocessors = {normalizer};
    if (imputes) {
      dataset.preprocessors = {imputer, normalizer};
      dataset.postprocessors = {normalizer, imputer};
    }
    at::Tensor x = at::randn({2, nodes, variables});
    if (imputes) x.select(2, 2).slice(1, 5, 9).fill_(NAN);
    const preprocess::Preprocessing preprocessing(dataset);
    at::Tensor latest = x[1].clone();
    preprocessing.forward(latest, preprocessing.masks(x[0]));
    const at::Tensor columns = at::tensor(dataset.prognostic_input, at::kLong);
    const at::Tensor expected = up.matmul(down.matmul(latest.index_select(1, columns).to(at::kDouble)));
    at::Tensor alone;
    for (const int world_size : world_sizes) {
      const at::Tensor made = assemble(world_size, nodes, 3, [&](dist::Communicator& communicator) {
        const dist::Shards rows(nodes, world_size);
        const nn::TruncatedSkip skip(residual, dataset, rows, communicator, "truncation");
        const dist::RowRange own = rows.range(communicator.rank());
        return skip(x.slice(1, own.begin, own.end).contiguous(), preprocessing, communicator, *testing::operations());
      });
      if (world_size == 1) alone = made;
      CHECK(worst(made, expected) < 1e-5);
      CHECK(made.equal(alone));
    }
  }
}

TEST_CASE("matrices that do not fit the grid are refused") {
  Weights weights(34);
  at::Tensor dense;
  DatasetDescription dataset;
  dataset.prognostic_input = {0};
  const SparseDescriptor down = coordinates(weights, 4, 9, 12, dense), up = coordinates(weights, 9, 5, 12, dense);
  assemble(1, 1, 1, [&](dist::Communicator& communicator) {
    const dist::Shards rows(9, 1), other(8, 1);
    CHECK_THROWS_AS(nn::TruncatedSkip({{down, up}}, dataset, rows, communicator, "truncation"), UserError);
    CHECK_THROWS_AS(nn::TruncatedSkip({{down}}, dataset, rows, communicator, "truncation"), UserError);
    CHECK_THROWS_AS(nn::TruncatedSkip({{down}}, dataset, other, communicator, "truncation"), UserError);
    return at::zeros({1, 1});
  });
}
