// The options of a model that runs on a rank's device.
#pragma once

#include "worker/device/device.h"
#include "worker/nn/model.h"

namespace tradewind::runner {

nn::ModelOptions model_options_on(const device::Device& device);

}  // namespace tradewind::runner
