#include "worker/graph/pieces.h"

#include <algorithm>

#include "common/errors.h"

namespace tradewind::graph {
namespace {

std::vector<Piece> cut(const Edges& edges, std::int64_t count) {
  const dist::Shards shards(edges.rows(), static_cast<int>(count));
  std::vector<Piece> pieces;
  pieces.reserve(static_cast<std::size_t>(shards.ranks()));
  for (int i = 0; i < shards.ranks(); ++i) {
    pieces.push_back({shards.range(i), distinct_sources(edges, shards.range(i))});
  }
  return pieces;
}

std::int64_t total_sources(const std::vector<Piece>& pieces) {
  std::int64_t total = 0;
  for (const Piece& piece : pieces) total += static_cast<std::int64_t>(piece.sources.size());
  return total;
}

}  // namespace

std::vector<Piece> cut_into_pieces(Edges& edges, std::int64_t sources_limit, std::int64_t least) {
  if (edges.rows() == 0) return {};
  if (sources_limit < 1) throw InternalFault("a piece without sources");
  least = std::clamp<std::int64_t>(least, 1, edges.rows());
  const std::int64_t distinct = static_cast<std::int64_t>(distinct_sources(edges, {0, edges.rows()}).size());
  std::int64_t count = std::clamp<std::int64_t>((distinct + sources_limit - 1) / sources_limit, least, edges.rows());
  std::vector<Piece> pieces = cut(edges, count);
  while (count > least && total_sources(pieces) > distinct + distinct / 8) {
    count = std::max(least, count / 2);
    pieces = cut(edges, count);
  }
  for (const Piece& piece : pieces) {
    for (std::int64_t edge = edges.first[static_cast<std::size_t>(piece.rows.begin)];
         edge < edges.first[static_cast<std::size_t>(piece.rows.end)]; ++edge) {
      std::int32_t& source = edges.source[static_cast<std::size_t>(edge)];
      const auto found = std::lower_bound(piece.sources.begin(), piece.sources.end(), source);
      source = static_cast<std::int32_t>(found - piece.sources.begin());
    }
  }
  return pieces;
}

}  // namespace tradewind::graph
