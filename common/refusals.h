// Everything that stands in the way of a run, said in one go: a config and its checkpoint are judged part by part, each
// part's refusal is kept, and one error carries them all. Values; not thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/errors.h"

namespace tradewind {

struct Refusal {
  std::string what, where, remedy;  // as of Error
  bool operator==(const Refusal&) const = default;
};
using Refusals = std::vector<Refusal>;

// One refusal reads as a plain UserError does. Of several, message() is a numbered list with place and remedy each, and
// where() and remedy() are empty.
class Refused : public UserError {
 public:
  explicit Refused(Refusals refusals);  // at least one
  const Refusals& refusals() const { return refusals_; }

 private:
  Refusals refusals_;
};

// Throws Refused when there is something to refuse.
void refuse_all(Refusals refusals);

// What an error says: all that a Refused carries, else itself.
Refusals refusals_of(const UserError& error);

// Runs `step`; what it refuses is added to `refusals` instead of thrown. True when it refused nothing.
template <class Step>
bool attempt(Refusals& refusals, Step&& step) {
  try {
    std::forward<Step>(step)();
    return true;
  } catch (const UserError& error) {
    for (Refusal& each : refusals_of(error)) refusals.push_back(std::move(each));
    return false;
  }
}

}  // namespace tradewind
