// What a worker tells about its run while it goes. The channel to the launcher implements it; tests record it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "common/dates.h"

namespace tradewind::report {

using Json = nlohmann::ordered_json;

enum class Phase { start, load, input, first_step, step, output, close };
const char* name_of(Phase phase);

struct StepDone {
  int step = 0, steps = 0;  // 1-based
  Time valid_time{};
  double seconds = 0;
};

struct Timings {  // seconds
  double load = 0, input = 0, first_step = 0, step_median = 0, output = 0, total = 0;
  int steps = 0;
  std::int64_t peak_device_bytes = 0;  // of the memory of the rank's own device; 0 on the CPU
};

class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void phase(Phase phase) = 0;
  virtual void step_done(const StepDone& step) = 0;
  virtual void note(const std::string& text) = 0;  // information
  virtual void warning(const std::string& text) = 0;
  // figures: of this rank, for the report (figures.h).
  virtual void finished(const Timings& timings, Json figures) = 0;
};

}  // namespace tradewind::report
