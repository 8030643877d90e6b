// How the edges of a graph, or the entries of a sparse matrix, and the rows they start from fall to the ranks of a run.
// Pure, thread-safe; reads the edges when there are several ranks.
#pragma once

#include <cstdint>

#include "common/checkpoint/description.h"

namespace tradewind::checkpoint {

struct EdgeShare {
  std::int64_t edges = 0, halo_rows = 0;  // largest of any rank
};

// Edges belong to the rank of their destination; sources that it does not own are its halo. Both kinds of nodes are
// split evenly.
EdgeShare share_of_edges(const GraphDescription& graph, int ranks);
// The same of a matrix's entries: from columns to rows.
EdgeShare share_of_entries(const SparseDescriptor& matrix, int ranks);

}  // namespace tradewind::checkpoint
