#include "worker/telemetry/recorder.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <utility>

#include "common/errors.h"
#include "proto/rank_sample.h"

namespace tradewind::telemetry {
namespace {

using proto::TelemetryMemory;

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

template <std::size_t N>
void set_text(std::array<char, N>& to, std::string_view text) {
  const std::size_t count = std::min(text.size(), N - 1);
  std::copy_n(text.begin(), count, to.begin());
  std::memset(to.data() + count, 0, N - count);
}

// The end of a long path says more than its beginning.
std::string_view end_of(std::string_view text, std::size_t most) {
  return text.size() <= most ? text : text.substr(text.size() - most);
}

std::shared_ptr<TelemetryMemory> map_memory(int descriptor) {
  void* memory = ::mmap(nullptr, sizeof(TelemetryMemory), PROT_READ | PROT_WRITE,
                        descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED)
    throw EnvironmentFault(std::string("cannot map the telemetry page: ") + std::strerror(errno),
                           "descriptor " + std::to_string(descriptor),
                           "install tradewind and tradewind-worker from the same build");
  return {static_cast<TelemetryMemory*>(memory),
          [](TelemetryMemory* mapped) { ::munmap(mapped, sizeof(TelemetryMemory)); }};
}

const char* dtype_of(const at::Tensor& values) { return values.defined() ? at::toString(values.scalar_type()) : ""; }

std::int32_t copy_counts(const std::vector<std::int64_t>& from,
                         std::array<std::int64_t, proto::telemetry_split_ranks>& to) {
  const std::size_t count = std::min(from.size(), to.size());
  std::copy_n(from.begin(), count, to.begin());
  return static_cast<std::int32_t>(count);
}

}  // namespace

Recorder::Recorder(int descriptor) : memory_(map_memory(descriptor)), page_(&memory_->page) {
  set_text(place_.phase, "start");
  set_text(call_.group, "world");
  store_place();
  proto::begin_page(*page_);
}

void Recorder::store_place() {
  place_.since = now();
  page_->place.store(place_);
  alive();
}

void Recorder::tell_record(std::function<std::string()> say) {
  teller_ = std::make_unique<RecordTeller>(memory_->record, std::move(say));
}

void Recorder::phase(std::string_view name) {
  set_text(place_.phase, name);
  set_text(place_.layer, {});
  store_place();
}

void Recorder::step(int step, int steps, std::optional<Time> reached) {
  place_.step = step;
  place_.steps = steps;
  place_.valid_time = reached ? reached->time_since_epoch().count() : 0;
  store_place();
}

void Recorder::entering(std::string_view place) {
  set_text(place_.layer, place);
  store_place();
  ++places_;
  mark_device();
}

void Recorder::mark_device() {
  if (!queue_mark_) return;
  constexpr std::uint64_t most = (1U << proto::telemetry_mark_bits) - 1;
  const std::uint64_t mark = call_.sequence << proto::telemetry_mark_bits | std::min(places_, most);
  page_->device_queued.store(mark, std::memory_order_relaxed);
  queue_mark_(mark);
}

void Recorder::call_enqueued(const char* operation, const at::Tensor& values, const std::vector<std::int64_t>& sent,
                             const std::vector<std::int64_t>& received, std::string_view place) {
  ++call_.sequence;
  call_.since = now();
  set_text(call_.operation, operation);
  set_text(call_.place, place);
  set_text(call_.dtype, dtype_of(values));
  call_.dims = 0;
  if (values.defined()) {
    call_.dims = static_cast<std::int32_t>(std::min<std::int64_t>(values.dim(), proto::telemetry_dims));
    for (std::int32_t i = 0; i < call_.dims; ++i) call_.shape[static_cast<std::size_t>(i)] = values.size(i);
  }
  call_.sent_counts = copy_counts(sent, call_.sent);
  call_.received_counts = copy_counts(received, call_.received);
  const std::size_t used = call_.received_counts > 0
                               ? offsetof(proto::CallRecord, received) + received.size() * sizeof(std::int64_t)
                               : offsetof(proto::CallRecord, sent) + sent.size() * sizeof(std::int64_t);
  page_->calls[call_.sequence % proto::telemetry_kept_calls].store(call_, std::min(used, sizeof call_));
  page_->recent[call_.sequence % proto::telemetry_recent_calls].store(proto::fingerprint_of(call_),
                                                                      std::memory_order_relaxed);
  page_->enqueued.fetch_add(1, std::memory_order_release);
  alive();
  places_ = 0;
  mark_device();
}

void Recorder::call_started() {
  started_ = now();
  page_->started.fetch_add(1, std::memory_order_release);
}

void Recorder::call_done() {
  page_->waited.fetch_add(static_cast<std::uint64_t>(now() - started_), std::memory_order_relaxed);
  page_->done.fetch_add(1, std::memory_order_release);
  alive();
}

int Recorder::file_begins(dist::FileUse use, std::string_view path) {
  for (std::size_t i = 0; i < page_->files.size(); ++i) {
    auto& slot = page_->files[i];
    // Claimed with 2, shown with 1: a reader must not see what an earlier file left in the slot.
    std::uint32_t free = 0;
    if (!slot.taken.compare_exchange_strong(free, 2, std::memory_order_acquire)) continue;
    proto::FileRecord record{};
    set_text(record.use, use == dist::FileUse::read ? "read" : "write");
    set_text(record.path, end_of(path, record.path.size() - 1));
    record.since = now();
    slot.file.store(record);
    slot.taken.store(1, std::memory_order_release);
    return static_cast<int>(i);
  }
  return -1;
}

void Recorder::file_moved(dist::FileUse use, std::uint64_t bytes) {
  (use == dist::FileUse::read ? page_->bytes_read : page_->bytes_written).fetch_add(bytes, std::memory_order_relaxed);
}

void Recorder::file_ends(int file) {
  if (file >= 0) page_->files[static_cast<std::size_t>(file)].taken.store(0, std::memory_order_release);
}

void Recorder::state_written(Duration lead_time) {
  page_->written_step.store(lead_time.count() + 1, std::memory_order_relaxed);
}

}  // namespace tradewind::telemetry
