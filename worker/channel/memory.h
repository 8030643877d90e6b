// The memory of this process, from /proc/self/status. Own memory is anonymous (not shared with other ranks through the
// page cache), less what an idle worker holds.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace tradewind::channel {

// Largest resident memory so far, and anonymous resident memory now, in bytes; 0 where the kernel does not tell.
std::int64_t peak_resident_bytes();
std::int64_t anonymous_bytes();

// Large blocks of this process go back to the system when they are freed, instead of being kept for later; call before
// any is allocated.
void give_back_large_blocks();
// What was freed in small pieces goes back now.
void give_back_small_blocks();

// Samples own memory at the ends of phases. Not thread-safe.
class MemoryWatch {
 public:
  // What this process holds now counts as that of an idle worker.
  MemoryWatch() : idle_(anonymous_bytes()) {}
  void begin(const std::string& phase);  // ends the one before
  void sample();                         // the phase is as far as it goes, or as one of its repetitions
  // {"idle_bytes", "own_bytes": {phase: largest sample}, "own_peak_bytes"}
  nlohmann::ordered_json result() const;

 private:
  std::int64_t idle_;
  std::string phase_;
  nlohmann::ordered_json own_ = nlohmann::ordered_json::object();
};

}  // namespace tradewind::channel
