// Reader of multi-head attention, of a transformer's processors and mappers. anemoi-models 0.2 to 0.19.
#pragma once

#include <optional>

#include "common/checkpoint/description.h"
#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// The two sets of rows of a cross attention; of a self attention they are the same.
struct AttendedRows {
  std::int64_t keys = 0, queries = 0;
};

// A MultiHeadSelfAttention, or a MultiHeadCrossAttention when `cross` is given; `channels` wide at both ends.
// UserError with class and path.
AttentionDescription read_attention(const Node& attention, std::int64_t channels,
                                    const std::optional<AttendedRows>& cross);

}  // namespace tradewind::checkpoint
