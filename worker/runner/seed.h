// Random numbers are those of one seed on every rank. No global generator is seeded: a forecast has its own.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <optional>

#include "worker/dist/communicator.h"

namespace tradewind::runner {

// Rank 0's seed, on every rank; without one, a number that rank 0 draws. Collective.
std::int64_t share_seed(const std::optional<std::int64_t>& seed, dist::Communicator& communicator);

// A generator on the CPU in the state that the seed gives: the numbers that LibTorch's default one would give.
at::Generator random_numbers(std::int64_t seed);

}  // namespace tradewind::runner
