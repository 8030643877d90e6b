// Consecutive ranges of destination rows with the source rows that each needs, so that what is computed per source
// (keys and values) is bounded by a piece instead of by the grid.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/graph/edges.h"

namespace tradewind::graph {

struct Piece {
  dist::RowRange rows;                // of the destination
  std::vector<std::int64_t> sources;  // what `source` of its edges now points into
};

// Cuts edges into at least `least` pieces (never more than rows) of about `sources_limit` sources each, as far as few
// sources (an eighth) have to be computed in more than one piece. Rewrites edges.source to positions in the sources of
// the piece.
std::vector<Piece> cut_into_pieces(Edges& edges, std::int64_t sources_limit, std::int64_t least);

}  // namespace tradewind::graph
