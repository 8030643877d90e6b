// Which messages of two files are the same field of the same forecast, and in which keys they differ. Pure.
#pragma once

#include <string>
#include <vector>

#include "worker/compare/messages.h"

namespace tradewind::compare {

// A message of B with its match in A.
struct Pair {
  const MessageKeys* got;
  const MessageKeys* wanted;
};

struct Matches {
  std::vector<Pair> pairs;                         // in the order of B
  std::vector<const MessageKeys*> missing, extra;  // of B without a match in A, of A without one in B
};

// By MessageKeys::identity; what is left then by MessageKeys::meaning, where that fits one message of each file.
Matches match(const std::vector<MessageKeys>& got, const std::vector<MessageKeys>& wanted);

// " key=x (want y)" for each key in which they differ; empty when they do not. A key that one of them lacks counts as
// its default, and one that only one edition has is no difference beside the edition.
std::string differing_keys(const MessageKeys& got, const MessageKeys& wanted);

}  // namespace tradewind::compare
