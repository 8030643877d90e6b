#include "proto/control.h"

#include <array>
#include <utility>

namespace tradewind::proto {
namespace {

using ActName = std::pair<Act::Kind, const char*>;
constexpr std::array<ActName, 5> act_names = {{{Act::Kind::send_start, "start"},
                                               {Act::Kind::send_stop, "stop"},
                                               {Act::Kind::terminate, "terminate"},
                                               {Act::Kind::kill, "kill"},
                                               {Act::Kind::abandon, "abandon"}}};
constexpr int most_ranks = 1 << 20, most_port = 65535;
constexpr std::int64_t most_bytes = std::numeric_limits<std::int64_t>::max();

// ---- to JSON ------------------------------------------------------------------------------------------------------
Json to_json(const Challenge& m) { return {{"type", "challenge"}, {"version", m.version}, {"nonce", m.nonce}}; }
Json to_json(const Prove& m) { return {{"type", "prove"}, {"nonce", m.nonce}, {"proof", m.proof}}; }
Json to_json(const Proven& m) { return {{"type", "proven"}, {"proof", m.proof}}; }
Json to_json(const Join& m) {
  return {{"type", "join"},
          {"version", m.version},
          {"host", m.host},
          {"pid", m.pid},
          {"world_size", m.world_size},
          {"ranks", m.ranks},
          {"master_address", m.master_address},
          {"master_port", m.master_port}};
}
Json to_json(const Said& m) { return {{"type", "said"}, {"rank", m.rank}, {"message", json_of(m.message)}}; }
Json to_json(const Wrote& m) {
  return {{"type", "wrote"}, {"rank", m.rank}, {"error", m.stream == Stream::error}, {"line", m.line}};
}
Json to_json(const Garbled& m) { return {{"type", "garbled"}, {"rank", m.rank}, {"how", clipped(m.how)}}; }
Json to_json(const Ended& m) {
  return {{"type", "ended"},
          {"rank", m.rank},
          {"code", m.code},
          {"signal", m.signal},
          {"peak_rss_bytes", m.peak_rss_bytes},
          {"out_of_memory", clipped(m.out_of_memory)}};
}
template <typename Fault>
Json fault_json(const char* type, const Fault& m) {
  return {{"type", type},
          {"what", clipped(m.what)},
          {"where", clipped(m.where)},
          {"remedy", clipped(m.remedy)},
          {"exit_code", m.exit_code}};
}
Json to_json(const NotStarted& m) { return fault_json("not_started", m); }
Json to_json(const Signalled& m) { return {{"type", "signalled"}, {"number", m.number}}; }
Json to_json(const Ask& m) { return to_json("ask", m.request); }
Json to_json(const Want& m) { return {{"type", "want"}, {"keys", m.keys}}; }
Json to_json(const Got&) { return {{"type", "got"}}; }
Json to_json(const Forgot& m) { return {{"type", "forgot"}, {"key", m.key}}; }
Json to_json(const Answer& m) { return to_json("answer", m.answer); }
Json to_json(const Values& m) { return {{"type", "values"}, {"values", to_json(m.values)}}; }
Json to_json(const Forget& m) { return {{"type", "forget"}, {"key", m.key}}; }
Json to_json(const Welcome& m) { return {{"type", "welcome"}, {"version", m.version}}; }
Json to_json(const Refused& m) { return fault_json("refused", m); }
Json to_json(const Launch& m) {
  return {{"type", "launch"},
          {"command", m.command},
          {"arguments", m.arguments},
          {"environment", m.environment},
          {"world_size", m.world_size},
          {"master_address", m.master_address},
          {"master_port", m.master_port},
          {"hosts", m.hosts},
          {"run_folder", m.run_folder},
          {"restarts", m.restarts},
          {"resume", m.resume}};
}
Json to_json(const Act& m) {
  const char* kind = "";
  for (const auto& [value, name] : act_names)
    if (value == m.kind) kind = name;
  return {{"type", "act"}, {"do", kind}, {"rank", m.rank}};
}
Json to_json(const Leave& m) { return {{"type", "leave"}, {"exit_code", m.exit_code}}; }
Json to_json(const Alive&) { return {{"type", "alive"}}; }
Json to_json(const Watch& m) { return {{"type", "watch"}, {"rank", m.rank}, {"body", m.body}}; }

// Texts of these must not be mended.
template <typename M>
constexpr bool is_exact =
    std::is_same_v<M, Launch> || std::is_same_v<M, Ask> || std::is_same_v<M, Want> || std::is_same_v<M, Forgot> ||
    std::is_same_v<M, Answer> || std::is_same_v<M, Values> || std::is_same_v<M, Forget>;

// ---- from JSON ----------------------------------------------------------------------------------------------------
int rank_of(const Fields& f) { return f.small("rank", 0, most_ranks); }

template <typename Element, typename Is>
std::vector<Element> list_of(const Fields& f, const char* name, const Is& is) {
  const Json& list = f.at(name);
  if (!list.is_array()) f.fail(name, "is not a list");
  std::vector<Element> elements;
  for (const Json& element : list) {
    if (!is(element)) f.fail(name, "has an element of the wrong kind");
    elements.push_back(element.template get<Element>());
  }
  return elements;
}

std::vector<int> ranks_of(const Fields& f) {
  return list_of<int>(f, "ranks", [](const Json& element) {
    return element.is_number_unsigned() && element.get<std::uint64_t>() <= std::uint64_t{most_ranks};
  });
}

std::vector<std::string> texts_of(const Fields& f, const char* name) {
  return list_of<std::string>(f, name, [](const Json& element) { return element.is_string(); });
}

std::map<std::string, std::string> variables_of(const Fields& f, const char* name) {
  const Json& object = f.at(name);
  if (!object.is_object()) f.fail(name, "is not an object");
  std::map<std::string, std::string> variables;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) f.fail(name, "has a value that is not a text");
    variables[key] = value.get<std::string>();
  }
  return variables;
}

template <typename Fault>
Fault fault_of(const Fields& f) {
  return {.what = f.text("what"),
          .where = f.text("where"),
          .remedy = f.text("remedy"),
          .exit_code = f.small("exit_code", 1, 255)};
}

Act act_of(const Fields& f) {
  const std::string kind = f.text("do");
  for (const auto& [value, name] : act_names)
    if (kind == name) return {.kind = value, .rank = rank_of(f)};
  f.fail("do", "has an unknown value");
}

ControlMessage from_agent(const std::string& type, const Fields& f) {
  if (type == "join")
    return Join{.version = f.small("version", 0),
                .host = f.text("host"),
                .pid = f.small("pid", 0),
                .world_size = f.small("world_size", 1, most_ranks),
                .ranks = ranks_of(f),
                .master_address = f.text("master_address"),
                .master_port = f.small("master_port", 0, most_port)};
  if (type == "said") return Said{.rank = rank_of(f), .message = message_of(f.at("message"))};
  if (type == "wrote")
    return Wrote{
        .rank = rank_of(f), .stream = f.flag("error") ? Stream::error : Stream::output, .line = f.text("line")};
  if (type == "garbled") return Garbled{.rank = rank_of(f), .how = f.text("how")};
  if (type == "ended")
    return Ended{.rank = rank_of(f),
                 .code = f.small("code", 0, 255),
                 .signal = f.small("signal", 0, 127),
                 .peak_rss_bytes = f.integer("peak_rss_bytes", 0, most_bytes),
                 .out_of_memory = f.text("out_of_memory")};
  if (type == "not_started") return fault_of<NotStarted>(f);
  if (type == "signalled") return Signalled{f.small("number", 1, 64)};
  if (type == "ask") return Ask{store_request_of(f)};
  if (type == "want") return Want{store_keys_of(f, "keys")};
  if (type == "got") return Got{};
  if (type == "forgot") return Forgot{store_key_of(f, "key")};
  if (type == "prove") return Prove{.nonce = f.text("nonce"), .proof = f.text("proof")};
  throw ProtocolError("unknown message type `" + clipped(type) + "`");
}

ControlMessage from_fields(const std::string& type, const Fields& f) {
  if (type == "welcome") return Welcome{f.small("version", 0)};
  if (type == "refused") return fault_of<Refused>(f);
  if (type == "launch")
    return Launch{.command = f.text("command"),
                  .arguments = f.at("arguments"),
                  .environment = variables_of(f, "environment"),
                  .world_size = f.small("world_size", 1, most_ranks),
                  .master_address = f.text("master_address"),
                  .master_port = f.small("master_port", 0, most_port),
                  .hosts = texts_of(f, "hosts"),
                  .run_folder = f.text("run_folder"),
                  .restarts = f.flag("restarts"),
                  .resume = f.flag("resume")};
  if (type == "act") return act_of(f);
  if (type == "answer") return Answer{store_answer_of(f)};
  if (type == "values") return Values{store_values_of(f, "values")};
  if (type == "forget") return Forget{store_key_of(f, "key")};
  if (type == "challenge") return Challenge{.version = f.small("version", 0), .nonce = f.text("nonce")};
  if (type == "proven") return Proven{f.text("proof")};
  if (type == "leave") return Leave{f.small("exit_code", 0, 255)};
  if (type == "alive") return Alive{};
  if (type == "watch") return Watch{.rank = rank_of(f), .body = f.at("body")};
  return from_agent(type, f);
}

}  // namespace

std::string encode_control(const ControlMessage& message) {
  const bool exact = std::visit([](const auto& m) { return is_exact<std::decay_t<decltype(m)>>; }, message);
  return to_line(std::visit([](const auto& m) { return to_json(m); }, message), exact);
}

ControlMessage decode_control(std::string_view line) {
  const Json json = parse_line(line);
  const std::string type = type_of(json);
  return from_fields(type, Fields(json, type));
}

}  // namespace tradewind::proto
