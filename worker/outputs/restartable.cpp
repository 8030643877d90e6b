#include "worker/outputs/restartable.h"

#include "common/errors.h"

namespace tradewind::outputs {

std::string why_no_restart(const Output& output) {
  const auto* one = dynamic_cast<const Restartable*>(&output);
  return one == nullptr ? "this kind of output does not say that it can be gone on with" : one->why_no_restart();
}

Restartable& restartable(Output& output) {
  if (auto* one = dynamic_cast<Restartable*>(&output)) return *one;
  throw InternalFault("an output that cannot be gone on with is asked to");
}

}  // namespace tradewind::outputs
