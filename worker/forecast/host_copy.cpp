#include "worker/forecast/host_copy.h"

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

namespace tradewind::forecast {

// The device's side of a copy on its way.
struct HostCopy::Flight {
  explicit Flight(at::Device device) : done(device.type()) {}
  at::Tensor source;  // must live until the copy is whole
  c10::Event done;
};

HostCopy::HostCopy(const at::Tensor& values) {
  if (values.is_cpu()) {
    host_ = values;
    return;
  }
  const at::Device device = values.device();
  const c10::impl::VirtualGuardImpl streams(device.type());
  flight_ = std::make_unique<Flight>(device);
  flight_->source = values.clone(at::MemoryFormat::Contiguous);  // the next step may write to what it was made of
  host_ = at::empty(values.sizes(), at::TensorOptions().dtype(values.dtype()).pinned_memory(true));
  c10::Event ready(device.type());
  ready.record(streams.getStream(device));
  const c10::Stream side = streams.getStreamFromGlobalPool(device, false);
  const c10::StreamGuard guard(side);
  ready.block(side);
  host_.copy_(flight_->source, true);
  flight_->done.record(side);
}

HostCopy::HostCopy(HostCopy&&) noexcept = default;
HostCopy& HostCopy::operator=(HostCopy&&) noexcept = default;
HostCopy::~HostCopy() = default;

at::Tensor HostCopy::wait() {
  if (flight_) {
    flight_->done.synchronize();
    flight_.reset();
  }
  return std::exchange(host_, {}).contiguous();
}

}  // namespace tradewind::forecast
