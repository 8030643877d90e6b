#include "worker/forecast/pipeline.h"

namespace tradewind::forecast {

void Pipeline::add(outputs::State state, const at::Tensor& values) {
  newest_.push_back({std::move(state), HostCopy(values.t())});
  if (!behind_) drain();
}

void Pipeline::turn() { hand_on(std::exchange(older_, std::exchange(newest_, {}))); }

void Pipeline::drain() {
  turn();
  turn();
}

void Pipeline::hand_on(std::vector<Computed> states) {
  for (Computed& one : states) {
    one.state.values = one.values.wait();
    take_(std::move(one.state));
  }
}

}  // namespace tradewind::forecast
