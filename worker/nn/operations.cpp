#include "worker/nn/operations.h"

#include "common/errors.h"

namespace tradewind::nn {

void Operations::packed_product(const kernels::Product&) const {
  throw InternalFault("a packed product on a device that has none");
}

}  // namespace tradewind::nn
