// Whether a run that has failed is to be started again (--restart), and what became of the attempts. Pure. Not
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/supervisor/outcome.h"

namespace tradewind::launcher {

// After a signal to a rank or a lost host: what may go better the next time. Not after a mistake of the user, an error
// that a rank found, a hang, proven lack of memory or the user's own signal; nor when a process is left behind that
// might still write.
bool worth_restart(const Outcome& outcome);

class Attempts {
 public:
  explicit Attempts(int most_restarts) : left_(most_restarts) {}
  // Notes that an attempt has ended so after `seconds`, and whether there is to be another one.
  bool again(const Outcome& outcome, double seconds);
  bool first() const { return ended_.empty(); }
  int left() const { return left_; }
  // Of the attempts that were followed by another, in order: {"what","rank","exit_code","steps","seconds"}. `steps`:
  // the number of the last step that it had computed.
  proto::Json to_json() const { return ended_; }

 private:
  int left_;
  proto::Json ended_ = proto::Json::array();
};

}  // namespace tradewind::launcher
