#include "worker/dist/statistics.h"

namespace tradewind::dist {
namespace {

void add_to(TrafficTable& table, std::string_view key, const Traffic& traffic) {
  const auto found = table.find(key);
  if (found != table.end()) {
    found->second += traffic;
  } else {
    table.emplace(key, traffic);
  }
}

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
  calls += other.calls;
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  seconds += other.seconds;
  return *this;
}

void Statistics::add(std::string_view place, const Traffic& traffic) { add_to(by_place_, place, traffic); }

TrafficTable Statistics::by_phase() const {
  TrafficTable phases;
  for (const auto& [place, traffic] : by_place_) {
    add_to(phases, std::string_view(place).substr(0, place.find_first_of(" ./")), traffic);
  }
  return phases;
}

Traffic Statistics::total() const {
  Traffic sum;
  for (const auto& [place, traffic] : by_place_) sum += traffic;
  return sum;
}

}  // namespace tradewind::dist
