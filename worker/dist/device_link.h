// How tensors on a device reach other ranks. Where every rank has a device of its own, over a backend that moves them
// from device to device (NCCL); where ranks share one, or some have none, through the host's memory.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>
#include <string>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace tradewind::dist {

struct DeviceLink {
  std::string identity;  // of this rank's device: equal for ranks that share it; empty without one
  // Collective: connects ranks that have a device each.
  std::function<c10::intrusive_ptr<c10d::Backend>(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                  std::chrono::milliseconds timeout)>
      connect;
};

// The backend between devices; null when rows go through the host. Collective: ranks tell each other their devices
// through the store.
c10::intrusive_ptr<c10d::Backend> link_devices(const DeviceLink& link, const c10::intrusive_ptr<c10d::Store>& store,
                                               int rank, int size, std::chrono::milliseconds timeout);

// A copy that Gloo can send; on the CPU the tensor itself.
at::Tensor on_host(const at::Tensor& tensor);

}  // namespace tradewind::dist
