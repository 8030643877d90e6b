// Tells the agent what c10d's flight recorder holds, when it asks: from a thread of its own, since the others may hang.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "proto/flight_record.h"

namespace tradewind::telemetry {

class RecordTeller {
 public:
  // `say` is called by that thread, for each question.
  RecordTeller(proto::FlightRecord& record, std::function<std::string()> say);
  ~RecordTeller();
  RecordTeller(const RecordTeller&) = delete;
  RecordTeller& operator=(const RecordTeller&) = delete;

 private:
  void serve();
  void answer(std::uint32_t question);

  proto::FlightRecord& record_;
  std::function<std::string()> say_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace tradewind::telemetry
