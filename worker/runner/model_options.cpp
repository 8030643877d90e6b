#include "worker/runner/model_options.h"

#include <memory>

#include "worker/device/cuda_library.h"
#include "worker/nn/device_operations.h"

namespace tradewind::runner {

nn::ModelOptions model_options_on(const device::Device& device) {
  nn::ModelOptions options;
  options.device = device.where;
  if (device.cuda != nullptr) {
    options.operations = std::make_shared<const nn::DeviceOperations>(device::graph_attention_of(*device.cuda));
  }
  return options;
}

}  // namespace tradewind::runner
