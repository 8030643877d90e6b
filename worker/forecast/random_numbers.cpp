#include "worker/forecast/random_numbers.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <random>

namespace tradewind::forecast {

std::int64_t share_seed(const std::optional<std::int64_t>& seed, dist::Communicator& communicator) {
  at::Tensor value = at::tensor({seed ? *seed : static_cast<std::int64_t>(std::random_device{}())}, at::kLong);
  communicator.broadcast(value, 0, "start seed");
  return value.item<std::int64_t>();
}

at::Generator random_numbers(std::int64_t seed) {
  return at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
}

at::Tensor state_of(const at::Generator& random) {
  return random.defined() ? random.get_state() : at::empty({0}, at::kByte);
}

}  // namespace tradewind::forecast
