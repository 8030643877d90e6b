// What the controller tells its agents, by number of the agent.
#pragma once

#include <iterator>
#include <vector>

#include "proto/control.h"

namespace tradewind::launcher {

struct Order {
  int agent = 0;
  proto::ControlMessage message;
};
using Orders = std::vector<Order>;

inline void append(Orders& orders, Orders more) {
  orders.insert(orders.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace tradewind::launcher
