#include "proto/messages.h"

#include <array>
#include <utility>

#include "proto/fields.h"

namespace tradewind::proto {
namespace {

constexpr std::array<std::pair<FailureKind, const char*>, 5> kinds = {{{FailureKind::user, "user"},
                                                                       {FailureKind::environment, "environment"},
                                                                       {FailureKind::internal, "internal"},
                                                                       {FailureKind::connection, "connection"},
                                                                       {FailureKind::stopped, "stopped"}}};

// ---- to JSON ------------------------------------------------------------------------------------------------------
Json to_json(const Hello& m) { return {{"type", "hello"}, {"version", m.version}, {"pid", m.pid}}; }
Json to_json(const Ready& m) { return {{"type", "ready"}, {"device", m.device}}; }
Json to_json(const Phase& m) { return {{"type", "phase"}, {"name", m.name}}; }
Json to_json(const Step& m) {
  return {{"type", "step"},
          {"step", m.step},
          {"steps", m.steps},
          {"valid_time", iso_date(m.valid_time)},
          {"seconds", m.seconds}};
}
Json to_json(const Note& m) { return {{"type", "note"}, {"text", clipped(m.text)}}; }
Json to_json(const Warning& m) { return {{"type", "warning"}, {"text", clipped(m.text)}}; }
Json to_json(const Failure& m) {
  const char* kind = "internal";
  for (const auto& [value, name] : kinds)
    if (value == m.kind) kind = name;
  return {{"type", "error"},
          {"kind", kind},
          {"what", clipped(m.what)},
          {"where", clipped(m.where)},
          {"remedy", clipped(m.remedy)},
          {"exit_code", m.exit_code}};
}
Json to_json(const Finished& m) {
  return {{"type", "finished"},
          {"exit_code", m.exit_code},
          {"steps", m.steps},
          {"seconds",
           {{"load", m.seconds.load},
            {"input", m.seconds.input},
            {"first_step", m.seconds.first_step},
            {"step_median", m.seconds.step_median},
            {"output", m.seconds.output},
            {"total", m.seconds.total}}},
          {"peak_rss_bytes", m.peak_rss_bytes},
          {"peak_device_bytes", m.peak_device_bytes},
          {"figures", m.figures}};
}
Json to_json(const Start& m) {
  return {{"type", "start"},
          {"version", m.version},
          {"command", m.command},
          {"arguments", m.arguments},
          {"rank", m.rank},
          {"local_rank", m.local_rank},
          {"world_size", m.world_size},
          {"threads", m.threads},
          {"master_address", m.master_address},
          {"telemetry_descriptor", m.telemetry_descriptor},
          {"restart_folder", m.restart_folder},
          {"resume", m.resume},
          {"streams", Json(m.streams)}};
}
Json to_json(const Stop&) { return {{"type", "stop"}}; }
Json to_json(const StoreRequest& m) { return to_json("store", m); }
Json to_json(const StoreAnswer& m) { return to_json("stored", m); }

// ---- from JSON ----------------------------------------------------------------------------------------------------
FailureKind kind_of(const Fields& fields) {
  const std::string text = fields.text("kind");
  for (const auto& [value, name] : kinds)
    if (text == name) return value;
  fields.fail("kind", "has an unknown value");
}

std::map<std::string, int> streams_of(const Fields& fields) {
  const Json& streams = fields.any_object("streams");
  std::map<std::string, int> result;
  for (const auto& [path, unused] : streams.items())
    result[path] = Fields(streams, "start, streams").small(path.c_str(), 3);
  return result;
}

Message from_fields(const std::string& type, const Fields& f) {
  constexpr std::int64_t most_bytes = std::numeric_limits<std::int64_t>::max();
  if (type == "hello") return Hello{.version = f.small("version", 0), .pid = f.small("pid", 0)};
  if (type == "ready") return Ready{f.text("device")};
  if (type == "phase") return Phase{f.text("name")};
  if (type == "step")
    return Step{.step = f.small("step", 0),
                .steps = f.small("steps", 0),
                .valid_time = f.time("valid_time"),
                .seconds = f.seconds("seconds")};
  if (type == "note") return Note{f.text("text")};
  if (type == "warning") return Warning{f.text("text")};
  if (type == "error")
    return Failure{.kind = kind_of(f),
                   .what = f.text("what"),
                   .where = f.text("where"),
                   .remedy = f.text("remedy"),
                   .exit_code = f.small("exit_code", 1, 255)};
  if (type == "finished") {
    const Fields s = f.object("seconds");
    return Finished{.exit_code = f.small("exit_code", 0, 255),
                    .steps = f.small("steps", 0),
                    .seconds = {.load = s.seconds("load"),
                                .input = s.seconds("input"),
                                .first_step = s.seconds("first_step"),
                                .step_median = s.seconds("step_median"),
                                .output = s.seconds("output"),
                                .total = s.seconds("total")},
                    .peak_rss_bytes = f.integer("peak_rss_bytes", 0, most_bytes),
                    .peak_device_bytes = f.integer("peak_device_bytes", 0, most_bytes),
                    .figures = f.any_object("figures")};
  }
  if (type == "start")
    return Start{.version = f.small("version", 0),
                 .command = f.text("command"),
                 .arguments = f.at("arguments"),
                 .rank = f.small("rank", 0),
                 .local_rank = f.small("local_rank", 0),
                 .world_size = f.small("world_size", 1),
                 .threads = f.small("threads", 1),
                 .master_address = f.text("master_address"),
                 .telemetry_descriptor = f.small("telemetry_descriptor", -1),
                 .restart_folder = f.text("restart_folder"),
                 .resume = f.flag("resume"),
                 .streams = streams_of(f)};
  if (type == "stop") return Stop{};
  if (type == "store") return store_request_of(f);
  if (type == "stored") return store_answer_of(f);
  throw ProtocolError("unknown message type `" + clipped(type) + "`");
}

}  // namespace

std::string encode(const Message& message) {
  const bool exact = std::holds_alternative<Start>(message) || std::holds_alternative<StoreRequest>(message) ||
                     std::holds_alternative<StoreAnswer>(message);
  return to_line(json_of(message), exact);
}

Message decode(std::string_view line) { return message_of(parse_line(line)); }

Json json_of(const Message& message) {
  return std::visit([](const auto& m) { return to_json(m); }, message);
}

Message message_of(const Json& json) {
  const std::string type = type_of(json);
  return from_fields(type, Fields(json, type));
}

}  // namespace tradewind::proto
