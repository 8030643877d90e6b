// Random numbers are those of one seed on every rank.
#pragma once

#include <cstdint>
#include <optional>

#include "worker/dist/communicator.h"

namespace tradewind::runner {

// Seeds LibTorch's generators of every rank with rank 0's seed; without one, with a number that rank 0 draws. Returns
// it. Collective.
std::int64_t share_seed(const std::optional<std::int64_t>& seed, dist::Communicator& communicator);

}  // namespace tradewind::runner
