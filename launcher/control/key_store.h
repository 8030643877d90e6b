// The store through which the ranks of one attempt meet: keys and values, which agents ask for and keep what they have
// seen. Pure: messages in, orders out. Not thread-safe.
//
// An agent gets the values that it wants once each, in batches, the next when it has got the one before. Before a value
// that agents keep is replaced, they are told to forget it; who replaced it is answered when all have: nobody who hears
// of a change, on whatever way, still finds what was there before.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "launcher/control/orders.h"

namespace tradewind::launcher {

class KeyStore {
 public:
  Orders asked(int agent, const proto::StoreRequest& request);
  Orders wanted(int agent, const std::vector<std::string>& keys);
  Orders got(int agent);
  Orders forgot(int agent, const std::string& key);
  // The agent is gone: nothing is told to it, and nothing awaited from it.
  Orders left(int agent);

 private:
  struct Slot {
    std::optional<std::string> value;
    std::set<int> waiting;     // agents that want it as soon as it is there
    std::set<int> holding;     // agents that keep it
    std::set<int> forgetting;  // agents that are about to forget it
    Orders held_back;          // answers, until all of those have
  };
  struct Reader {
    std::deque<std::string> ready;  // keys whose values it is to get
    bool busy = false;              // has not got the last batch yet
  };
  Orders answer(int agent, std::int64_t id, std::int64_t number, std::vector<std::string> values = {});
  Orders changed(const std::string& key, Orders answers);
  Orders add(int agent, const proto::StoreRequest& request);
  Orders compare_set(int agent, const proto::StoreRequest& request);
  Orders batch(int agent);
  void put(Slot& slot, std::string value);
  Orders released(Slot& slot, int agent);

  std::unordered_map<std::string, Slot> slots_;
  std::map<int, Reader> readers_;
  std::int64_t count_ = 0;  // of slots with a value
};

}  // namespace tradewind::launcher
