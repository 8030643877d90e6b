// The functions between linear layers.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

// In place on contiguous float32.
void activate(checkpoint::Activation activation, at::Tensor& x, const Workspace& workspace);

}  // namespace tradewind::nn
