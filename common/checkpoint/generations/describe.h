// From the tree that some version of anemoi-models wrote to the description of its model. Pure, thread-safe.
#pragma once

#include "common/checkpoint/description.h"
#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// By the table of generations. UserError naming class and path when unsupported; of several things, a Refused that
// lists them all.
ModelDescription describe(const Tree& tree);

}  // namespace tradewind::checkpoint
