#include "worker/runner/seed.h"

#include <ATen/ATen.h>

#include <random>

namespace tradewind::runner {

std::int64_t share_seed(const std::optional<std::int64_t>& seed, dist::Communicator& communicator) {
  at::Tensor value = at::tensor({seed ? *seed : static_cast<std::int64_t>(std::random_device{}())}, at::kLong);
  communicator.broadcast(value, 0, "start seed");
  const auto shared = value.item<std::int64_t>();
  at::manual_seed(static_cast<std::uint64_t>(shared));
  return shared;
}

}  // namespace tradewind::runner
