#include "worker/dist/device_link.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

namespace tradewind::dist {

c10::intrusive_ptr<c10d::Backend> link_devices(const DeviceLink& link, const c10::intrusive_ptr<c10d::Store>& store,
                                               int rank, int size, std::chrono::milliseconds timeout) {
  const auto key = [](int of) { return "tradewind device " + std::to_string(of); };
  store->set(key(rank), link.identity.empty() ? "none" : link.identity);
  std::vector<std::string> keys, devices;
  keys.reserve(static_cast<std::size_t>(size));
  for (int other = 0; other < size; ++other) keys.push_back(key(other));
  for (const auto& value : store->multiGet(keys)) devices.emplace_back(value.begin(), value.end());
  std::sort(devices.begin(), devices.end());
  const bool one_each = std::adjacent_find(devices.begin(), devices.end()) == devices.end() &&
                        std::find(devices.begin(), devices.end(), "none") == devices.end();
  if (!one_each || !link.connect) return {};
  return link.connect(store, rank, size, timeout);
}

at::Tensor on_host(const at::Tensor& tensor) { return tensor.to(at::kCPU); }

}  // namespace tradewind::dist
