#include "proto/rank_sample.h"

#include <algorithm>
#include <utility>

#include "proto/lines.h"

namespace tradewind::proto {
namespace {

template <std::size_t N>
std::string text_of(const std::array<char, N>& text) {
  return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

template <std::size_t N>
std::vector<std::int64_t> first_of(const std::array<std::int64_t, N>& values, std::int32_t count) {
  return {values.begin(), values.begin() + std::clamp<std::int32_t>(count, 0, N)};
}

double seconds_between(std::int64_t since, std::int64_t now) {
  constexpr double second = 1e9;
  return since > 0 && since <= now ? static_cast<double>(now - since) / second : 0;
}

Collective collective_of(const CallRecord& call) {
  return {.sequence = call.sequence,
          .operation = text_of(call.operation),
          .group = text_of(call.group),
          .dtype = text_of(call.dtype),
          .place = text_of(call.place),
          .shape = first_of(call.shape, call.dims),
          .sent = first_of(call.sent, call.sent_counts),
          .received = first_of(call.received, call.received_counts)};
}

// FNV-1a.
class Hash {
 public:
  void add(const void* bytes, std::size_t count) {
    const auto* from = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < count; ++i) value_ = (value_ ^ from[i]) * 0x100000001b3ULL;
  }
  template <std::size_t N>
  void add_text(const std::array<char, N>& text) {
    add(text.data(), std::find(text.begin(), text.end(), '\0') - text.begin());
    add("|", 1);
  }
  std::uint64_t value() const { return value_ == 0 ? 1 : value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

}  // namespace

std::uint64_t fingerprint_of(const CallRecord& call) {
  Hash hash;
  hash.add(&call.sequence, sizeof call.sequence);
  hash.add_text(call.operation);
  hash.add_text(call.dtype);
  hash.add_text(call.place);
  const auto dims = static_cast<std::size_t>(std::clamp<std::int32_t>(call.dims, 0, telemetry_dims));
  hash.add(&dims, sizeof dims);
  for (std::size_t i = 1; i < dims; ++i) hash.add(&call.shape[i], sizeof call.shape[i]);
  return hash.value();
}

Telemetry read_page(const TelemetryPage& page, std::int64_t now) {
  Telemetry t;
  if (page.magic.load(std::memory_order_acquire) != telemetry_magic ||
      page.version.load(std::memory_order_relaxed) != telemetry_version)
    return t;
  t.known = true;
  t.tick = page.tick.load(std::memory_order_relaxed);
  // In this order, so that a call which ends meanwhile is seen as ended.
  t.started = page.started.load(std::memory_order_acquire);
  t.done = page.done.load(std::memory_order_acquire);
  t.enqueued = page.enqueued.load(std::memory_order_acquire);
  t.waited_seconds = static_cast<double>(page.waited.load(std::memory_order_relaxed)) / 1e9;
  t.bytes_read = page.bytes_read.load(std::memory_order_relaxed);
  t.bytes_written = page.bytes_written.load(std::memory_order_relaxed);
  t.device_queued = page.device_queued.load(std::memory_order_relaxed);
  t.device_progress = page.device_progress.load(std::memory_order_relaxed);
  t.written_step = page.written_step.load(std::memory_order_relaxed) - 1;

  PlaceRecord place{};
  t.torn = !page.place.load(place);
  t.phase = text_of(place.phase);
  t.layer = text_of(place.layer);
  t.step = place.step;
  t.steps = place.steps;
  t.valid_time = place.valid_time;
  t.place_seconds = seconds_between(place.since, now);

  std::int64_t begun = 0;
  for (const auto& slot : page.calls) {
    CallRecord call{};
    if (!slot.load(call)) {
      t.torn = true;
      continue;
    }
    if (call.sequence == 0) continue;
    if (call.sequence > t.call.sequence) {
      begun = call.since;
      t.earlier.push_back(std::exchange(t.call, collective_of(call)));
    } else {
      t.earlier.push_back(collective_of(call));
    }
  }
  std::erase_if(t.earlier, [](const Collective& call) { return call.sequence == 0; });
  std::sort(t.earlier.begin(), t.earlier.end(),
            [](const Collective& a, const Collective& b) { return a.sequence < b.sequence; });
  t.call_seconds = seconds_between(begun, now);

  for (const auto& slot : page.files) {
    if (slot.taken.load(std::memory_order_acquire) == 0) continue;
    FileRecord file{};
    if (!slot.file.load(file) || slot.taken.load(std::memory_order_relaxed) == 0) continue;
    t.files.push_back({text_of(file.use), text_of(file.path), seconds_between(file.since, now)});
  }
  for (const auto& word : page.recent) t.recent.push_back(word.load(std::memory_order_relaxed));
  return t;
}

// The names on the wire are those of the members.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Collective, sequence, operation, group, dtype, place, shape, sent, received)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OpenFile, use, path, open_seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Telemetry, known, torn, phase, layer, step, steps, valid_time, place_seconds,
                                   call_seconds, tick, enqueued, started, done, waited_seconds, bytes_read,
                                   bytes_written, device_queued, device_progress, written_step, call, earlier, files,
                                   recent)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ThreadFacts, id, state, wchan, system_call, path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessFacts, known, state, tracer, read_characters, written_characters,
                                   read_storage, cpu_seconds, starved_seconds, resident_bytes, threads)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProgramFacts, known, cpu_seconds, switches, bytes, storage, processes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RankSample, rank, pid, host, device, exited, lost, telemetry, process, program)

Json encode_sample(const RankSample& sample) { return nlohmann::json(sample); }

RankSample decode_sample(const Json& json) {
  try {
    return nlohmann::json(json).get<RankSample>();
  } catch (const nlohmann::json::exception& error) {
    throw ProtocolError(std::string("a rank's sample: ") + error.what());
  }
}

}  // namespace tradewind::proto
