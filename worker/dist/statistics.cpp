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

std::string_view phase_of(std::string_view place) { return place.substr(0, place.find_first_of(" ./")); }

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
  calls += other.calls;
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  seconds += other.seconds;
  waiting += other.waiting;
  return *this;
}

void Statistics::add(std::string_view place, const Traffic& traffic) { add_to(by_place_, place, traffic); }

void Statistics::plan(std::string_view place, const RowCounts& rows) {
  const std::string_view phase = phase_of(place);
  const auto found = rows_.find(phase);
  if (found == rows_.end()) {
    rows_.emplace(phase, rows);
  } else if (rows.halo > found->second.halo) {
    found->second = rows;
  }
}

TrafficTable Statistics::by_phase() const {
  TrafficTable phases;
  for (const auto& [place, traffic] : by_place_) {
    add_to(phases, phase_of(place), traffic);
  }
  return phases;
}

Traffic Statistics::total() const {
  Traffic sum;
  for (const auto& [place, traffic] : by_place_) sum += traffic;
  return sum;
}

}  // namespace tradewind::dist
