// Beside the telemetry page, in the same memory: what c10d's flight recorder holds of a rank's last collectives. The
// agent asks and a thread of the worker answers, which sleeps until then; so a rank that hangs can tell it, a stopped
// one not.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "proto/telemetry.h"

namespace tradewind::proto {

inline constexpr std::size_t flight_record_bytes = 32768;

struct FlightRecord {
  std::atomic<std::uint32_t> served;  // 1: somebody answers
  std::atomic<std::uint32_t> asked;   // the agent counts it up, and wakes who waits for that (a futex)
  std::atomic<std::uint32_t> told;    // the worker: `text` answers the question of that number
  std::atomic<std::uint32_t> bytes;   // of the text; readers trust nothing
  std::array<char, flight_record_bytes - 4 * sizeof(std::uint32_t)> text;
};
static_assert(sizeof(FlightRecord) == flight_record_bytes);

// What the inherited descriptor leads to.
struct TelemetryMemory {
  TelemetryPage page;
  std::array<char, telemetry_page_bytes - sizeof(TelemetryPage)> rest;
  FlightRecord record;
};
static_assert(sizeof(TelemetryMemory) == 3 * telemetry_page_bytes);

}  // namespace tradewind::proto
