// What collectives cost, by place. A place begins with its phase: the first word, ended by a space, dot or slash
// ("encoder halo", "output.sizes"). Bytes are payload that leaves or reaches this rank (what a rank passes to itself is
// free); docs/communication.md says how each operation is counted. Value type.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tradewind::dist {

struct Traffic {
  std::int64_t calls = 0, bytes_sent = 0, bytes_received = 0;
  double seconds = 0;  // this rank stood still for the call; what it computed while rows were in flight is not in it
  double waiting = 0;  // of these, until the last rank had made the call; known once waits are settled
  Traffic& operator+=(const Traffic& other);
};

using TrafficTable = std::map<std::string, Traffic, std::less<>>;

// Rows that one part of the model reads: those of this rank, and those it fetches.
struct RowCounts {
  std::int64_t own = 0, halo = 0;
};

class Statistics {
 public:
  void add(std::string_view place, const Traffic& traffic);
  // A halo was planned; of several in one phase the largest counts.
  void plan(std::string_view place, const RowCounts& rows);
  const TrafficTable& by_place() const { return by_place_; }
  TrafficTable by_phase() const;
  Traffic total() const;
  const std::map<std::string, RowCounts, std::less<>>& rows() const { return rows_; }  // by phase

 private:
  TrafficTable by_place_;
  std::map<std::string, RowCounts, std::less<>> rows_;
};

}  // namespace tradewind::dist
