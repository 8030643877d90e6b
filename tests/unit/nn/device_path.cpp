#include "tests/unit/nn/device_path.h"

#include <ATen/Parallel.h>

#include <cstdlib>

#include "tests/helpers/host_warp.h"
#include "worker/nn/device_operations.h"

namespace tradewind::testing {

std::shared_ptr<const nn::Operations> device_operations() {
  static const auto operations =
      std::make_shared<const nn::DeviceOperations>([](const kernels::GraphAttention& arguments, std::int64_t rows) {
        at::parallel_for(0, rows, 16, [&](std::int64_t begin, std::int64_t end) {
          cuda::graph_attention_on_host(arguments, begin, end);
        });
      });
  return operations;
}

std::shared_ptr<const nn::Operations> operations() {
  static const bool asked = std::getenv("TRADEWIND_TEST_DEVICE_PATH") != nullptr;
  if (asked) return device_operations();
  return {std::shared_ptr<void>(), &nn::cpu_operations()};
}

}  // namespace tradewind::testing
