// Whole fields for the ranks that write them, dealt out in turn.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "worker/dist/communicator.h"
#include "worker/fields/state.h"

namespace tradewind::outputs {

inline constexpr std::int64_t exchange_bytes = 16 << 20;  // at most so much of the fields leaves and comes at a time

// Of the state's fields at these positions those of this rank: numbers rank, rank + size, rank + 2 size, ... Each
// (points), float32. On one rank they are views of the state. Collective.
std::vector<at::Tensor> whole_fields(dist::Communicator& communicator, const fields::State& state,
                                     const std::vector<std::int64_t>& positions);

}  // namespace tradewind::outputs
