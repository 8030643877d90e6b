// States between the model and what takes them. Off the CPU (`behind`) values are still on their way from the device:
// they are handed on while it computes the next ones. Else nothing is on its way, and each is handed on at once. They
// come out in the order in which they went in. Not thread-safe.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "worker/forecast/host_copy.h"
#include "worker/outputs/output.h"

namespace tradewind::forecast {

class Pipeline {
 public:
  using Take = std::function<void(outputs::State)>;
  Pipeline(Take take, bool behind) : take_(std::move(take)), behind_(behind) {}

  // values: (rows, variables) of the state, which has none yet. On the CPU they must not change until it is handed on;
  // elsewhere what is queued later may change them.
  void add(outputs::State state, const at::Tensor& values);
  // What can be computed next is queued on the device: hands on what was added before the last time that this was
  // called.
  void turn();
  // Hands on all that is left.
  void drain();

 private:
  struct Computed {
    outputs::State state;
    HostCopy values;
  };
  void hand_on(std::vector<Computed> states);

  Take take_;
  bool behind_;
  std::vector<Computed> older_, newest_;
};

}  // namespace tradewind::forecast
