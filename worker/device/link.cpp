#include "worker/device/link.h"

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "worker/device/cuda_library.h"

namespace tradewind::device {

dist::DeviceLink link_of(const Device& device) {
  if (device.cuda == nullptr) return {};
  return {device.identity, [cuda = device.cuda](const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                std::chrono::milliseconds timeout) {
            const cuda::NcclGroup group{store.get(), rank, size, timeout.count()};
            c10d::Backend* backend = nullptr;
            check_cuda(cuda->connect(&group, &backend), "NCCL");
            return c10::intrusive_ptr<c10d::Backend>::reclaim(backend);
          }};
}

}  // namespace tradewind::device
