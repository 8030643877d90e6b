// Moves the tensors of a layer to the device on which it is to run, once, after it was built on the CPU. A layer's
// `move_to` names its parts: move_all(device, weight_, norm_, blocks_).
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace tradewind::nn {

inline void move_part(at::Tensor& tensor, at::Device device) {
  if (tensor.defined()) tensor = tensor.to(device);
}
template <class Layer>
void move_part(Layer& layer, at::Device device) {
  layer.move_to(device);
}
template <class Part>
void move_part(std::optional<Part>& part, at::Device device) {
  if (part) move_part(*part, device);
}
template <class Part>
void move_part(std::vector<Part>& parts, at::Device device) {
  for (Part& part : parts) move_part(part, device);
}

template <class... Parts>
void move_all(at::Device device, Parts&... parts) {
  (move_part(parts, device), ...);
}

}  // namespace tradewind::nn
