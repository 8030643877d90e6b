#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>

#include "common/errors.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/graph/edges.h"
#include "worker/graph/pieces.h"

using namespace tradewind;

namespace {

checkpoint::GraphDescription small_graph(testing::Weights& weights) {
  checkpoint::GraphDescription graph;
  graph.sources = 4;
  graph.destinations = 3;
  graph.edges = 5;
  graph.edge_index = weights.keep(at::tensor({3, 1, 0, 2, 1, 2, 0, 2, 0, 2}, at::kLong).view({2, 5}));
  graph.attributes = weights.keep(at::arange(10, 20, at::kFloat).view({5, 2}));
  return graph;
}

}  // namespace

TEST_CASE("edges by destination keep the checkpoint's order, with their attributes") {
  testing::Weights weights(1);
  checkpoint::GraphDescription graph = small_graph(weights);
  graph.trainable = weights.keep(at::arange(5, at::kFloat).view({5, 1}));
  graph.trainable_order = weights.keep(at::tensor({4, 3, 2, 1, 0}, at::kLong));
  const graph::Edges all = graph::edges_of(graph, {0, 3});
  CHECK(all.first == std::vector<std::int64_t>{0, 2, 2, 5});
  CHECK(all.source == std::vector<std::int32_t>{1, 2, 3, 0, 1});
  CHECK(at::equal(
      all.attributes,
      at::tensor({12., 13., 3., 16., 17., 1., 10., 11., 4., 14., 15., 2., 18., 19., 0.}).to(at::kFloat).view({5, 3})));
  const graph::Edges last = graph::edges_of(graph, {2, 3});
  CHECK(last.source == std::vector<std::int32_t>{3, 0, 1});
  CHECK(graph::distinct_sources(all, {2, 3}) == std::vector<std::int64_t>{0, 1, 3});
  CHECK(graph::edges_of(graph, {1, 2}).count() == 0);
}

TEST_CASE("edges of nodes that do not exist are refused") {
  testing::Weights weights(1);
  checkpoint::GraphDescription graph = small_graph(weights);
  graph.sources = 3;
  CHECK_THROWS_AS(graph::edges_of(graph, {0, 3}), UserError);
  graph = small_graph(weights);
  graph.edges = 4;
  CHECK_THROWS_AS(graph::edges_of(graph, {0, 3}), UserError);
}

TEST_CASE("pieces cover all rows, and their sources are what their edges name") {
  testing::Weights weights(2);
  for (const bool local : {false, true}) {
    checkpoint::GraphDescription graph = weights.graph(400, 200, 900, 1, 0, false);
    if (local) {  // neighbouring destinations have neighbouring sources
      const at::Tensor target = at::arange(900, at::kLong).div(5, "floor").clamp_max(199);
      graph.edge_index = weights.keep(at::stack({target * 2 + at::randint(2, {900}, at::kLong), target}));
    }
    const graph::Edges whole = graph::edges_of(graph, {0, 200});
    for (const std::int64_t least : {1, 3, 1000}) {
      graph::Edges edges = whole;
      const auto pieces = graph::cut_into_pieces(edges, 40, least);
      CHECK(static_cast<std::int64_t>(pieces.size()) >= std::min<std::int64_t>(least, 200));
      if (local) CHECK(pieces.size() >= 8);
      if (!local && least == 1) CHECK(pieces.size() == 1);  // cutting would repeat most sources
      std::int64_t next = 0;
      for (const graph::Piece& piece : pieces) {
        CHECK(piece.rows.begin == next);
        next = piece.rows.end;
        CHECK(piece.sources == graph::distinct_sources(whole, piece.rows));
        for (auto e = edges.first[piece.rows.begin]; e < edges.first[piece.rows.end]; ++e) {
          CHECK(piece.sources[edges.source[e]] == whole.source[e]);
        }
      }
      CHECK(next == 200);
    }
  }
}
