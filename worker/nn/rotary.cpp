#include "worker/nn/rotary.h"

#include "worker/nn/operations.h"

namespace tradewind::nn {

void rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) {
  operations(x).rotate(x, first, heads, head_size);
}

}  // namespace tradewind::nn
