// An agent's part of the store: answers its workers from what it has seen, and asks the controller for the rest, once
// for each key whatever the number of its ranks. Pure: messages in, messages out. Not thread-safe.
#pragma once

#include <list>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proto/control.h"

namespace tradewind::launcher {

class StoreRelay {
 public:
  struct Told {
    std::vector<proto::ControlMessage> controller;
    std::vector<std::pair<int, proto::StoreAnswer>> ranks;
  };
  Told asked(int rank, const proto::StoreRequest& request);
  // Answer, Values and Forget.
  Told heard(const proto::Answer& message);
  Told heard(const proto::Values& message);
  Told heard(const proto::Forget& message);

 private:
  struct Reading {  // of a rank that waits for values
    int rank;
    proto::StoreRequest request;
    std::size_t seen = 0;  // its first keys that are there
  };
  bool complete(Reading& reading) const;
  void want(const Reading& reading, Told& told);
  void answer(const Reading& reading, Told& told) const;
  void answer_complete(Told& told);

  std::unordered_map<std::string, std::string> values_;
  std::set<std::string> wanted_;
  std::list<Reading> readings_;
  std::map<std::int64_t, std::pair<int, std::int64_t>> asked_;  // our number: the rank and its own
  std::int64_t next_ = 1;
};

}  // namespace tradewind::launcher
