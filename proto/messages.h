// What launcher and worker say to each other; PROTOCOL.md is the contract. Plain values and their JSON codec.
// Thread-safe: pure functions. Errors: ProtocolError naming the message and the field.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "common/dates.h"
#include "proto/fields.h"
#include "proto/store.h"

namespace tradewind::proto {

inline constexpr int protocol_version = 2;

// ---- worker to launcher -------------------------------------------------------------------------------------------
struct Hello {
  int version = protocol_version;
  int pid = 0;
};
struct Ready {
  std::string device;  // cpu, cuda:0
};
struct Phase {
  std::string name;
};
struct Step {
  int step = 0, steps = 0;  // 1-based
  Time valid_time{};
  double seconds = 0;
};
struct Note {
  std::string text;
};
struct Warning {
  std::string text;
};
// What the launcher makes of an error when several ranks fail: a lost connection is rarely the first cause.
enum class FailureKind { user, environment, internal, connection, stopped };
struct Failure {
  FailureKind kind = FailureKind::internal;
  std::string what, where, remedy;
  int exit_code = 1;
};
struct Timings {  // seconds
  double load = 0, input = 0, first_step = 0, step_median = 0, output = 0, total = 0;
};
struct Finished {
  int exit_code = 0;
  int steps = 0;
  Timings seconds;
  std::int64_t peak_rss_bytes = 0, peak_device_bytes = 0;
  Json figures = Json::object();  // what the rank did, for the report: passed on as it is
};

// ---- launcher to worker -------------------------------------------------------------------------------------------
struct Start {
  int version = protocol_version;
  std::string command;  // run, predict, compare
  Json arguments;       // run: the merged config; predict: checkpoint, input, output, precision; compare: list of texts
  int rank = 0, local_rank = 0, world_size = 1;
  int threads = 1;
  std::string master_address;     // of rank 0's host; empty when world_size is 1
  int telemetry_descriptor = -1;  // the page to write progress into (telemetry.h); -1: nobody reads it
  // Of a run that may be started again: where to keep what a further attempt needs. Empty: it may not.
  std::string restart_folder = {};
  bool resume = false;  // go on from what is kept there
  // Streams of the launcher that outputs are written to: the path that means one -> descriptor of the worker.
  std::map<std::string, int> streams = {};
};
struct Stop {};

using Message =
    std::variant<Hello, Ready, Phase, Step, Note, Warning, Failure, Finished, StoreRequest, Start, Stop, StoreAnswer>;

// The line to send, newline included. Texts are cut to 16 KiB and made valid UTF-8, except in Start and those of the
// store, where a changed text would be a wrong one: ProtocolError.
std::string encode(const Message& message);
// A line without its newline. Unknown fields are ignored; unknown types, missing fields and wrong types are errors.
Message decode(std::string_view line);
// The same as JSON, for messages that carry others.
Json json_of(const Message& message);
Message message_of(const Json& json);

}  // namespace tradewind::proto
