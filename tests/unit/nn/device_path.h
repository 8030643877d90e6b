// Which operations the layers under test run on: the CPU's, or with TRADEWIND_TEST_DEVICE_PATH in the environment those
// of other devices, with the CUDA kernel's arithmetic as the CPU runs it. Formulas and tolerances stay the same.
#pragma once

#include <memory>

#include "worker/nn/operations.h"

namespace tradewind::testing {

// Those of other devices, on the CPU.
std::shared_ptr<const nn::Operations> device_operations();
// Those that are asked for.
std::shared_ptr<const nn::Operations> operations();

}  // namespace tradewind::testing
