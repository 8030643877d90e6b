// The pickle machine: protocols 2 to 5, nothing executed, every length and index checked, no recursion.
#pragma once

#include <string_view>

#include "common/checkpoint/pickle_arena.h"
#include "common/checkpoint/pickle_tensors.h"

namespace tradewind::checkpoint {

// The value that the pickle leaves. Refuses extension codes, out-of-band buffers and text persistent ids.
// UserError naming the byte in the pickle.
Ref read_pickle(std::string_view pickle, PickleArena& arena, PickleStorages& storages);

}  // namespace tradewind::checkpoint
