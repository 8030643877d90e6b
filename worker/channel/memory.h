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
// What was freed in small pieces goes back now, and the buffers of matrix products; to be called while none is made.
void give_back_small_blocks();

// Samples own memory at the ends of phases. Not thread-safe.
class MemoryWatch {
 public:
  // Ends the phase before. What this process holds when its first phase begins counts as that of an idle worker: it has
  // loaded its libraries, opened its device and met its group, and has no model yet.
  void begin(const std::string& phase);
  void sample();  // the phase is as far as it goes, or as one of its repetitions
  // {"idle_bytes", "own_bytes": {phase: largest sample}, "own_peak_bytes"}
  nlohmann::ordered_json result() const;

 private:
  std::int64_t idle_ = 0;
  std::string phase_;
  nlohmann::ordered_json own_ = nlohmann::ordered_json::object();
};

}  // namespace tradewind::channel
