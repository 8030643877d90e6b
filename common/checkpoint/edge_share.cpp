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

std::int64_t index_at(const TensorDescriptor& index, std::int64_t offset) {
  const std::byte* at = index.data + offset * static_cast<std::int64_t>(size_of(index.dtype));
  if (index.dtype == ScalarType::i32) {
    std::int32_t value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  std::int64_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

// Of edges that come by destination.
class Shares {
 public:
  Shares(std::int64_t sources, std::int64_t destinations, int ranks)
      : source_owner_(sources, ranks),
        destination_owner_(destinations, ranks),
        edges_(static_cast<std::size_t>(ranks)),
        halo_(static_cast<std::size_t>(ranks)),
        seen_by_(static_cast<std::size_t>(sources), -1) {}

  // Ranks come one after the other, so a source is new to a rank when another rank saw it last.
  void add(std::int64_t source, std::int64_t destination) {
    const std::int64_t rank = destination_owner_(destination);
    ++edges_[static_cast<std::size_t>(rank)];
    if (source_owner_(source) == rank || seen_by_[static_cast<std::size_t>(source)] == rank) return;
    seen_by_[static_cast<std::size_t>(source)] = rank;
    ++halo_[static_cast<std::size_t>(rank)];
  }
  EdgeShare largest() const {
    return {*std::max_element(edges_.begin(), edges_.end()), *std::max_element(halo_.begin(), halo_.end())};
  }

 private:
  Owners source_owner_, destination_owner_;
  std::vector<std::int64_t> edges_, halo_, seen_by_;
};

// The numbers from 0 in the order of what `destination` says of them.
template <class Destination>
std::vector<std::int64_t> order_by(std::int64_t count, bool sorted, const Destination& destination) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  if (!sorted) {
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return destination(a) < destination(b); });
  }
  return order;
}

}  // namespace

EdgeShare share_of_edges(const GraphDescription& graph, int ranks) {
  if (ranks == 1) return {graph.edges, 0};
  const TensorDescriptor& index = graph.edge_index;
  const auto end = [&](std::int64_t row, std::int64_t edge) {
    return index_at(index, row * index.strides[0] + edge * index.strides[1]);
  };
  Shares shares(graph.sources, graph.destinations, ranks);
  for (const std::int64_t edge :
       order_by(graph.edges, graph.sorted_by_destination, [&](std::int64_t each) { return end(1, each); })) {
    shares.add(end(0, edge), end(1, edge));
  }
  return shares.largest();
}

EdgeShare share_of_entries(const SparseDescriptor& matrix, int ranks) {
  if (ranks == 1) return {matrix.entries(), 0};
  const auto row = [&](std::int64_t i) { return index_at(matrix.row_indices, i * matrix.row_indices.strides[0]); };
  const auto column = [&](std::int64_t i) {
    return index_at(matrix.column_indices, i * matrix.column_indices.strides[0]);
  };
  Shares shares(matrix.columns, matrix.rows, ranks);
  if (matrix.layout == SparseDescriptor::Layout::compressed_rows) {
    for (std::int64_t at = 0; at < matrix.rows; ++at) {
      for (std::int64_t i = row(at); i < row(at + 1); ++i) shares.add(column(i), at);
    }
  } else {
    for (const std::int64_t i : order_by(matrix.entries(), matrix.coalesced, row)) shares.add(column(i), row(i));
  }
  return shares.largest();
}

}  // namespace tradewind::checkpoint
