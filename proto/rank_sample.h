// What an agent knows of one rank at one moment: its telemetry page and what the kernel says of its process. Plain
// values with a JSON codec, since agents of other hosts send them. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proto/telemetry.h"

namespace tradewind::proto {

struct Collective {
  std::uint64_t sequence = 0;
  std::string operation, group, dtype, place;
  std::vector<std::int64_t> shape, sent, received;
  bool operator==(const Collective&) const = default;
};

struct OpenFile {
  std::string use, path;  // use: read, write
  double open_seconds = 0;
  bool operator==(const OpenFile&) const = default;
};

// A page, read.
struct Telemetry {
  bool known = false;  // false: the worker has written nothing yet, or another version wrote
  bool torn = false;   // the writer stood still in the middle of an update
  std::string phase, layer;
  int step = 0, steps = 0;
  std::int64_t valid_time = 0;
  double place_seconds = 0, call_seconds = 0;  // since they began
  std::uint64_t tick = 0, enqueued = 0, started = 0, done = 0;
  double waited_seconds = 0;
  std::uint64_t bytes_read = 0, bytes_written = 0;
  std::uint64_t device_queued = 0, device_progress = 0;
  std::int64_t written_step = -1;   // seconds of lead time; -1: none yet
  Collective call;                  // the newest
  std::vector<Collective> earlier;  // those before it that the page still has, oldest first
  std::vector<OpenFile> files;
  std::vector<std::uint64_t> recent;  // telemetry_recent_calls fingerprints, or none

  bool in_collective() const { return started > done; }
  // The device has been given more than it has done.
  bool device_lags() const { return device_queued > device_progress; }
  // The newest collective that this rank has come to, on its device where it has one.
  std::uint64_t reached() const { return device_queued > 0 ? device_progress >> telemetry_mark_bits : call.sequence; }
  bool operator==(const Telemetry&) const = default;
};

// now: CLOCK_MONOTONIC in nanoseconds.
Telemetry read_page(const TelemetryPage& page, std::int64_t now);
// What must be the same on all ranks for a call to be the same call: number, operation, dtype, place, and the shape
// but its first dimension, which sharding cuts differently. Never 0.
std::uint64_t fingerprint_of(const CallRecord& call);

// A thread that waits in the kernel: where, and on which file where that can be told.
struct ThreadFacts {
  int id = 0;
  char state = '?';  // of /proc/PID/task/TID/stat
  std::string wchan, system_call, path;
  bool operator==(const ThreadFacts&) const = default;
};

struct ProcessFacts {
  bool known = false;  // false: the process is gone, or /proc cannot be read
  char state = '?';    // of the main thread: R S D T t Z
  int tracer = 0;      // process id of a debugger, 0 without one
  std::uint64_t read_characters = 0, written_characters = 0, read_storage = 0;  // /proc/PID/io, and major faults
  double cpu_seconds = 0, starved_seconds = 0;  // of the main thread: running; ready to run without a CPU
  std::int64_t resident_bytes = 0;
  std::vector<ThreadFacts> threads;  // only in samples taken for evidence
  bool operator==(const ProcessFacts&) const = default;
};

// Of a rank that is a program which tells nothing of itself: all processes of its session together.
struct ProgramFacts {
  bool known = false;           // false: it is a worker of ours
  double cpu_seconds = 0;       // of all threads
  std::uint64_t switches = 0;   // how often its main threads went to wait
  std::uint64_t bytes = 0;      // read and written, as in ProcessFacts
  std::uint64_t storage = 0;    // read from storage, and major faults
  std::uint64_t processes = 0;  // a sum that changes when one comes or goes
  bool operator==(const ProgramFacts&) const = default;
};

struct RankSample {
  int rank = 0, pid = 0;
  std::string host, device;
  bool exited = false;
  bool lost = false;  // its agent is silent
  Telemetry telemetry;
  ProcessFacts process;
  ProgramFacts program;
  bool operator==(const RankSample&) const = default;
};

using Json = nlohmann::ordered_json;
Json encode_sample(const RankSample& sample);
// ProtocolError naming the field.
RankSample decode_sample(const Json& json);

}  // namespace tradewind::proto
