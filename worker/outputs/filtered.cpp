#include "worker/outputs/filtered.h"

#include <iterator>
#include <utility>

#include "common/errors.h"

namespace tradewind::outputs {

std::vector<std::string> Filtered::prepare(const Outlook& outlook) {
  Outlook changed = outlook;
  chain_.describe(changed);
  return output_->prepare(changed);
}

void Filtered::write(const State& state) {
  if (!wants(state.step)) return;
  State changed = state;
  chain_.apply(changed);
  output_->write(changed);
}

std::string Filtered::why_no_restart() const {
  const std::string why = chain_.why_no_restart();
  return why.empty() ? outputs::why_no_restart(*output_) : why;
}

// The output's own part comes first.
Settled Filtered::settle() {
  Settled settled = restartable(*output_).settle();
  for (auto& one : chain_.kept()) settled.kept.push_back(std::move(one));
  return settled;
}

void Filtered::resume(Settled settled) {
  if (settled.kept.size() < chain_.size()) throw InternalFault("what the filters before an output kept is not there");
  const auto own = settled.kept.end() - static_cast<std::ptrdiff_t>(chain_.size());
  chain_.take_up({std::make_move_iterator(own), std::make_move_iterator(settled.kept.end())});
  settled.kept.erase(own, settled.kept.end());
  restartable(*output_).resume(std::move(settled));
}

}  // namespace tradewind::outputs
