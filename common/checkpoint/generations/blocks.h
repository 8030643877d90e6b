// The blocks of a processor of any family, wherever a generation keeps them. Pure, thread-safe. Errors: UserError with
// path.
#pragma once

#include <string_view>
#include <vector>

#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// In order, at least one. Before 0.11 they lie in chunks of `chunk_class`, whose bounds mean nothing for the result.
std::vector<Node> processor_blocks(const Node& processor, std::string_view chunk_class);

}  // namespace tradewind::checkpoint
