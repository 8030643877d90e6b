// The launcher's side of a worker's telemetry page: makes it, keeps it mapped for reading. The page outlives its
// worker. Thread-safe to read.
#pragma once

#include <optional>
#include <string>

#include "launcher/process/descriptor.h"
#include "proto/flight_record.h"
#include "proto/rank_sample.h"

namespace tradewind::launcher {

class Page {
 public:
  // A new page of zeros, whose size nobody can change any more. EnvironmentFault when it cannot be made.
  Page();
  ~Page();
  Page(Page&& other) noexcept;
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  Page& operator=(Page&&) = delete;

  // To be inherited by the worker.
  int descriptor() const { return descriptor_.get(); }
  proto::Telemetry read() const;
  // For whoever writes on behalf of a process that does not.
  proto::TelemetryPage& page() { return memory_->page; }

  // Asks the worker for its flight record; false when it has nobody who answers.
  bool ask_record();
  // Its answer to the newest question, when it has come.
  std::optional<std::string> record() const;

 private:
  Descriptor descriptor_;
  proto::TelemetryMemory* memory_ = nullptr;
};

}  // namespace tradewind::launcher
