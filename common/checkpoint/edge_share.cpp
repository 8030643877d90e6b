#include "common/checkpoint/edge_share.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace tradewind::checkpoint {
namespace {

// Rank that owns a row: sizes differ by at most one, larger first.
class Owners {
 public:
  Owners(std::int64_t rows, int ranks) : small_(rows / ranks), larger_(rows % ranks) {}
  std::int64_t operator()(std::int64_t row) const {
    const std::int64_t in_larger = larger_ * (small_ + 1);
    return row < in_larger ? row / (small_ + 1) : larger_ + (row - in_larger) / small_;
  }

 private:
  std::int64_t small_, larger_;
};

std::int64_t index_at(const TensorDescriptor& index, std::int64_t row, std::int64_t column) {
  const std::byte* at = index.data + (row * index.strides[0] + column * index.strides[1]) *
                                         static_cast<std::int64_t>(size_of(index.dtype));
  if (index.dtype == ScalarType::i32) {
    std::int32_t value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  std::int64_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

EdgeShare share_of_edges(const GraphDescription& graph, int ranks) {
  if (ranks == 1) return {graph.edges, 0};
  const Owners source_owner(graph.sources, ranks), destination_owner(graph.destinations, ranks);
  std::vector<std::int64_t> edges(static_cast<std::size_t>(ranks)), halo(static_cast<std::size_t>(ranks));
  std::vector<std::int64_t> order(static_cast<std::size_t>(graph.edges));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  const auto destination = [&](std::int64_t edge) { return index_at(graph.edge_index, 1, edge); };
  if (!graph.sorted_by_destination) {
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return destination(a) < destination(b); });
  }
  // Ranks come one after the other, so a source is new to a rank when another rank saw it last.
  std::vector<std::int64_t> seen_by(static_cast<std::size_t>(graph.sources), -1);
  for (const std::int64_t edge : order) {
    const std::int64_t rank = destination_owner(destination(edge));
    const std::int64_t source = index_at(graph.edge_index, 0, edge);
    ++edges[static_cast<std::size_t>(rank)];
    if (source_owner(source) == rank || seen_by[static_cast<std::size_t>(source)] == rank) continue;
    seen_by[static_cast<std::size_t>(source)] = rank;
    ++halo[static_cast<std::size_t>(rank)];
  }
  return {*std::max_element(edges.begin(), edges.end()), *std::max_element(halo.begin(), halo.end())};
}

}  // namespace tradewind::checkpoint
