#include "worker/fields/state.h"

#include <optional>
#include <utility>

namespace tradewind::fields {

Due Outlook::due(const std::function<bool(Duration step)>& wanted) const {
  Due due;
  if (wanted(Duration::zero())) {
    due.states.push_back(initial);
    ++due.count;
  }
  // Steps differ in their numbers only: those between the first and the last are like them.
  std::optional<Moment> first, last;
  for (const Moment& moment : moments) {
    if (!wanted(moment.step)) continue;
    ++due.count;
    (first ? last : first) = moment;
  }
  for (const std::optional<Moment>& moment : {first, last}) {
    if (!moment) continue;
    State& state = due.states.emplace_back(forecast);
    state.base = initial.base;
    state.step = moment->step;
    state.previous_step = moment->previous_step;
  }
  return due;
}

}  // namespace tradewind::fields
