// Random numbers are those of one seed on every rank. No global generator is seeded: a forecast has its own.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <optional>

#include "worker/dist/communicator.h"

namespace tradewind::forecast {

// Rank 0's seed, on every rank; without one, a number that rank 0 draws. Collective.
std::int64_t share_seed(const std::optional<std::int64_t>& seed, dist::Communicator& communicator);

// A generator on the CPU in the state that the seed gives: the numbers that LibTorch's default one would give.
at::Generator random_numbers(std::int64_t seed);

// What set_state() needs to have the same numbers follow (bytes); empty for a generator that is not defined.
at::Tensor state_of(const at::Generator& random);

}  // namespace tradewind::forecast
