// The grids of the messages that are compared: each worked out once, and each two held against each other once.
// Not thread-safe. Errors: UserError for a message whose geometry contradicts itself.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "worker/compare/messages.h"
#include "worker/compare/scores.h"
#include "worker/grib/geometry.h"

namespace tradewind::compare {

struct KnownGrid {
  Grid grid;                           // equal weights where the points are not known
  std::optional<grib::Points> points;  // nullopt: the message does not hold them
};

class KnownGrids {
 public:
  const KnownGrid& of(const grib::Handle& message, const MessageKeys& keys);
  // What tells the points of A's message from those of B's, of which there are as many; empty when they are the same.
  const std::string& difference(const grib::Handle& got, const MessageKeys& got_keys, const grib::Handle& wanted,
                                const MessageKeys& wanted_keys);

 private:
  std::map<std::string, std::unique_ptr<KnownGrid>> grids_;  // by MessageKeys::grid
  std::map<std::pair<std::string, std::string>, std::string> differences_;
};

}  // namespace tradewind::compare
