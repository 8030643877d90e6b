// Writes this rank's telemetry page (proto/telemetry.h). Costs nanoseconds, blocks nobody, never fails after it was
// made. entering(), phase(), step() and the calls: from the main thread; files and states from any thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/dates.h"
#include "proto/telemetry.h"
#include "worker/dist/observer.h"
#include "worker/telemetry/record_teller.h"

namespace tradewind::telemetry {

class Recorder : public dist::Observer {
 public:
  // Maps the inherited page. -1: a page of its own, which nobody reads. EnvironmentFault when it cannot be mapped.
  explicit Recorder(int descriptor);

  void phase(std::string_view name);
  // Step `step` is in flight, of `steps` when known; `reached` is the valid time of the last one that is done.
  void step(int step, int steps, std::optional<Time> reached);

  // One collective: enqueued, waited for, done. `sent` and `received` as in CallRecord.
  void call_enqueued(const char* operation, const at::Tensor& values, const std::vector<std::int64_t>& sent,
                     const std::vector<std::int64_t>& received, std::string_view place);
  void call_started();
  void call_done();

  void entering(std::string_view place) override;
  int file_begins(dist::FileUse use, std::string_view path) override;
  void file_moved(dist::FileUse use, std::uint64_t bytes) override;
  void file_ends(int file) override;
  void state_written(Duration lead_time) override;

  // `queue` has a device's stream write the mark into the page when it comes to it: from now on with every place and
  // call.
  void follow_device(std::function<void(std::uint64_t mark)> queue) { queue_mark_ = std::move(queue); }
  // When the agent asks for the flight record from now on, a thread calls `say`.
  void tell_record(std::function<std::string()> say);
  proto::TelemetryPage& page() { return memory_->page; }
  const proto::TelemetryPage& page() const { return memory_->page; }

 private:
  void alive() { page_->tick.fetch_add(1, std::memory_order_relaxed); }
  void store_place();
  void mark_device();

  std::shared_ptr<proto::TelemetryMemory> memory_;
  proto::TelemetryPage* page_;
  proto::PlaceRecord place_{};
  proto::CallRecord call_{};
  std::int64_t started_ = 0;
  std::uint64_t places_ = 0;  // since the newest call
  std::function<void(std::uint64_t)> queue_mark_;
  std::unique_ptr<RecordTeller> teller_;
};

}  // namespace tradewind::telemetry
