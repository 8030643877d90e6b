#include "proto/messages.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "common/errors.h"

namespace tradewind::proto {
namespace {

constexpr std::size_t max_text_bytes = std::size_t{16} << 10;

constexpr std::array<std::pair<FailureKind, const char*>, 5> kinds = {{{FailureKind::user, "user"},
                                                                       {FailureKind::environment, "environment"},
                                                                       {FailureKind::internal, "internal"},
                                                                       {FailureKind::connection, "connection"},
                                                                       {FailureKind::stopped, "stopped"}}};

std::string clipped(const std::string& text) {
  if (text.size() <= max_text_bytes) return text;
  return text.substr(0, max_text_bytes) + " ...";
}

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
          {"master_port", m.master_port},
          {"listen_descriptor", m.listen_descriptor}};
}
Json to_json(const Stop&) { return {{"type", "stop"}}; }

// ---- from JSON ----------------------------------------------------------------------------------------------------
class Fields {
 public:
  Fields(const Json& object, std::string type) : object_(object), type_(std::move(type)) {}

  std::string text(const char* name) const {
    const Json& value = at(name);
    if (!value.is_string()) fail(name, "is not a text");
    return value.get<std::string>();
  }
  std::int64_t integer(const char* name, std::int64_t minimum, std::int64_t maximum) const {
    const Json& value = at(name);
    if (!value.is_number_integer()) fail(name, "is not an integer");
    if (value.is_number_unsigned() &&
        value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
      fail(name, "is out of range");
    const auto number = value.get<std::int64_t>();
    if (number < minimum || number > maximum) fail(name, "is out of range");
    return number;
  }
  int small(const char* name, int minimum, int maximum = std::numeric_limits<int>::max()) const {
    return static_cast<int>(integer(name, minimum, maximum));
  }
  double seconds(const char* name) const {
    const Json& value = at(name);
    if (!value.is_number()) fail(name, "is not a number");
    const auto number = value.get<double>();
    if (!std::isfinite(number) || number < 0) fail(name, "is not a length of time");
    return number;
  }
  Time time(const char* name) const {
    try {
      return parse_date(text(name));
    } catch (const Error&) {
      fail(name, "is not a date");
    }
  }
  Fields object(const char* name) const {
    const Json& value = at(name);
    if (!value.is_object()) fail(name, "is not an object");
    return Fields(value, type_);
  }
  const Json& any_object(const char* name) const {
    const Json& value = at(name);
    if (!value.is_object()) fail(name, "is not an object");
    return value;
  }
  const Json& at(const char* name) const {
    const auto found = object_.find(name);
    if (found == object_.end()) fail(name, "is missing");
    return *found;
  }
  [[noreturn]] void fail(const char* name, const char* why) const {
    throw ProtocolError("message `" + type_ + "`: field `" + name + "` " + why);
  }

 private:
  const Json& object_;
  std::string type_;
};

FailureKind kind_of(const Fields& fields) {
  const std::string text = fields.text("kind");
  for (const auto& [value, name] : kinds)
    if (text == name) return value;
  fields.fail("kind", "has an unknown value");
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
                 .master_port = f.small("master_port", 0, 65535),
                 .listen_descriptor = f.small("listen_descriptor", -1)};
  if (type == "stop") return Stop{};
  throw ProtocolError("unknown message type `" + clipped(type) + "`");
}

}  // namespace

std::string encode(const Message& message) {
  const bool exact = std::holds_alternative<Start>(message);
  const Json json = std::visit([](const auto& m) { return to_json(m); }, message);
  std::string line;
  try {
    line = json.dump(-1, ' ', false, exact ? Json::error_handler_t::strict : Json::error_handler_t::replace);
  } catch (const Json::exception&) {
    throw ProtocolError("a text of the run configuration is not valid UTF-8");
  }
  line += '\n';
  if (line.size() > max_line_bytes)
    throw ProtocolError("a message of " + std::to_string(line.size()) + " bytes, more than the " +
                        std::to_string(max_line_bytes) + " that the protocol allows");
  return line;
}

Message decode(std::string_view line) {
  if (line.size() >= max_line_bytes) throw ProtocolError("a line of " + std::to_string(line.size()) + " bytes");
  // A callback refuses deep nesting before it is built: values of ours are a dozen levels deep at most.
  constexpr int deepest = 64;
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > deepest) throw ProtocolError("JSON nested deeper than 64 levels");
    return true;
  };
  const Json json = Json::parse(line, shallow, false);
  if (!json.is_object()) throw ProtocolError("a line that is not a JSON object");
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) throw ProtocolError("an object without a `type`");
  const auto name = type->get<std::string>();
  return from_fields(name, Fields(json, name));
}

}  // namespace tradewind::proto
