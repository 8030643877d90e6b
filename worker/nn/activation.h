// The functions between linear layers.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"

namespace tradewind::nn {

// In place on contiguous float32.
void activate(checkpoint::Activation activation, at::Tensor& x);

}  // namespace tradewind::nn
