// The halo planner against brute force on random graphs.
#include "worker/dist/halo.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/unit/dist/ranks.h"

using namespace tradewind::dist;

namespace {

struct Edge {
  std::int64_t source, destination;
};

struct RandomGraph {
  std::int64_t sources = 0, destinations = 0;
  std::vector<Edge> edges;
};

RandomGraph random_graph(std::mt19937& random) {
  const auto draw = [&](std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
  RandomGraph graph{.sources = 1 + draw(40), .destinations = 1 + draw(30)};
  const std::int64_t count = draw(120);
  for (std::int64_t i = 0; i < count; ++i)
    graph.edges.push_back({draw(graph.sources - 1), draw(graph.destinations - 1)});
  return graph;
}

// Sources of the edges that end in the rank's destinations, seen edge by edge.
std::set<std::int64_t> sources_of(const RandomGraph& graph, int ranks, int rank) {
  std::set<std::int64_t> sources;
  for (const Edge& edge : graph.edges) {
    if (Shards(graph.destinations, ranks).owner(edge.destination) == rank) sources.insert(edge.source);
  }
  return sources;
}

bool owns(const RandomGraph& graph, int ranks, int rank, std::int64_t source) {
  return Shards(graph.sources, ranks).owner(source) == rank;
}

void check_rank(const RandomGraph& graph, Communicator& communicator) {
  const int ranks = communicator.size(), rank = communicator.rank();
  const Shards shards(graph.sources, ranks);
  const std::set<std::int64_t> sources = sources_of(graph, ranks, rank);
  const HaloPlan plan(shards, {sources.begin(), sources.end()}, communicator, "halo plan");

  std::vector<std::int64_t> fetched, sent;
  for (const std::int64_t source : sources) {
    if (!owns(graph, ranks, rank, source)) fetched.push_back(source);
  }
  for (int other = 0; other < ranks; ++other) {
    if (other == rank) continue;
    for (const std::int64_t source : sources_of(graph, ranks, other)) {
      if (owns(graph, ranks, rank, source)) sent.push_back(source - shards.range(rank).begin);
    }
  }
  CHECK(plan.own_rows() == shards.range(rank).size());
  CHECK(plan.halo() == fetched);
  CHECK(plan.rows_to_send() == sent);

  // Row s holds s and s squared, so that every edge can tell whether it was given its source.
  const at::Tensor numbers = at::arange(graph.sources, at::kDouble);
  const at::Tensor all = at::stack({numbers, numbers * numbers}, 1);
  const RowRange own = shards.range(rank);
  const at::Tensor own_rows = all.slice(0, own.begin, own.end);
  const std::int64_t before = communicator.statistics().total().bytes_sent;
  const at::Tensor table = at::cat({own_rows, plan.exchange(own_rows, communicator, "halo")});
  CHECK(communicator.statistics().total().bytes_sent - before == static_cast<std::int64_t>(sent.size()) * 16);
  REQUIRE(table.size(0) == plan.own_rows() + plan.halo_rows());
  for (const Edge& edge : graph.edges) {
    if (!sources.contains(edge.source)) continue;
    CHECK(at::equal(table[plan.table_row(edge.source)], all[edge.source]));
  }
  for (std::int64_t row = 0; row < graph.sources; ++row) {
    if (sources.contains(row) || owns(graph, ranks, rank, row)) continue;
    CHECK_THROWS_AS(plan.table_row(row), tradewind::InternalFault);
  }
}

}  // namespace

TEST_CASE("halos of random graphs are what brute force says, for any number of ranks") {
  std::mt19937 random(20240115);
  for (const int ranks : {1, 2, 3, 4, 7}) {
    std::vector<RandomGraph> graphs;
    graphs.reserve(14);
    for (int i = 0; i < 12; ++i) graphs.push_back(random_graph(random));
    graphs.push_back({.sources = 3, .destinations = 2, .edges = {{2, 0}, {0, 1}, {2, 0}}});  // fewer rows than ranks
    graphs.push_back({.sources = 5, .destinations = 1, .edges = {}});
    CAPTURE(ranks);
    tradewind::testing::run_ranks(ranks, [&](Communicator& communicator) {
      for (const RandomGraph& graph : graphs) check_rank(graph, communicator);
    });
  }
}
