#include "proto/control.h"

#include <doctest/doctest.h>

using namespace tradewind;
using namespace tradewind::proto;

namespace {

// Through the wire and back.
template <typename T>
T sent(const T& message) {
  const std::string line = encode_control(message);
  REQUIRE(line.back() == '\n');
  return std::get<T>(decode_control(std::string_view(line).substr(0, line.size() - 1)));
}

std::string refused(std::string_view line) {
  try {
    decode_control(line);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("every message between agents and controller survives the wire") {
  const Join join =
      sent(Join{.version = 7, .host = "n1", .pid = 12, .world_size = 4, .ranks = {2, 3}, .master_address = "10.0.0.1"});
  CHECK(join.version == 7);
  CHECK(join.host == "n1");
  CHECK(join.pid == 12);
  CHECK(join.world_size == 4);
  CHECK(join.ranks == std::vector<int>{2, 3});
  CHECK(join.master_address == "10.0.0.1");

  const Said said = sent(Said{.rank = 3, .message = Phase{"first step"}});
  CHECK(said.rank == 3);
  CHECK(std::get<Phase>(said.message).name == "first step");
  const Wrote wrote = sent(Wrote{.rank = 1, .stream = Stream::error, .line = "caf\xe9 \x01"});
  CHECK(wrote.rank == 1);
  CHECK(wrote.stream == Stream::error);
  CHECK(wrote.line == "caf\xef\xbf\xbd \x01");
  CHECK(sent(Wrote{.line = "x"}).stream == Stream::output);
  CHECK(sent(Garbled{.rank = 1, .how = "why"}).how == "why");
  const Ended ended = sent(Ended{.rank = 1, .code = 3, .signal = 9, .peak_rss_bytes = std::int64_t{5} << 33});
  CHECK(ended.code == 3);
  CHECK(ended.signal == 9);
  CHECK(ended.peak_rss_bytes == std::int64_t{5} << 33);
  const NotStarted failed = sent(NotStarted{.what = "a", .where = "b", .remedy = "c", .exit_code = 2});
  CHECK(failed.what == "a");
  CHECK(failed.where == "b");
  CHECK(failed.remedy == "c");
  CHECK(failed.exit_code == 2);
  CHECK(sent(Signalled{15}).number == 15);

  CHECK(sent(Welcome{3}).version == 3);
  CHECK(sent(Refused{.what = "a", .exit_code = 75}).exit_code == 75);
  const Launch launch = sent(Launch{.command = "run",
                                    .arguments = {{"b", 1}},
                                    .environment = {{"A", "x"}},
                                    .world_size = 2,
                                    .master_address = "::1",
                                    .hosts = {"n1", "n2"},
                                    .run_folder = "/runs/1",
                                    .restarts = true,
                                    .resume = true});
  CHECK(launch.command == "run");
  CHECK(launch.arguments.dump() == R"({"b":1})");
  CHECK(launch.environment == std::map<std::string, std::string>{{"A", "x"}});
  CHECK(launch.world_size == 2);
  CHECK(launch.master_address == "::1");
  CHECK(launch.hosts == std::vector<std::string>{"n1", "n2"});
  CHECK(launch.run_folder == "/runs/1");
  CHECK(launch.restarts);
  CHECK(launch.resume);
  for (const auto kind :
       {Act::Kind::send_start, Act::Kind::send_stop, Act::Kind::terminate, Act::Kind::kill, Act::Kind::abandon})
    CHECK(sent(Act{.kind = kind, .rank = 5}) == Act{.kind = kind, .rank = 5});
  CHECK(sent(Leave{137}).exit_code == 137);
  sent(Alive{});
  CHECK(sent(Watch{.rank = 2, .body = {{"tick", 1}}}).body.dump() == R"({"tick":1})");
}

TEST_CASE("what breaks the control protocol is refused by name") {
  CHECK(refused("hello") == "a line that is not a JSON object");
  CHECK(refused("{}") == "an object without a `type`");
  CHECK(refused(R"({"type":"hello","version":1,"pid":1})") == "unknown message type `hello`");
  CHECK(refused(R"({"type":"act","do":"dance","rank":0})") == "message `act`: field `do` has an unknown value");
  CHECK(refused(R"({"type":"act","do":"kill","rank":-1})") == "message `act`: field `rank` is out of range");
  CHECK(refused(R"({"type":"leave","exit_code":256})") == "message `leave`: field `exit_code` is out of range");
  CHECK(refused(R"({"type":"said","rank":0,"message":7})") == "an object without a `type`");
  CHECK(refused(R"({"type":"said","rank":0,"message":{"type":"act"}})") == "unknown message type `act`");
  const std::string join = R"({"type":"join","version":1,"host":"h","pid":1,"world_size":2,"ranks":)";
  CHECK(refused(join + "1}") == "message `join`: field `ranks` is not a list");
  CHECK(refused(join + "[-1]}") == "message `join`: field `ranks` has an element of the wrong kind");
  CHECK(refused(join + "[99999999999]}") == "message `join`: field `ranks` has an element of the wrong kind");
  CHECK(refused(join + "[0]}") == "message `join`: field `master_address` is missing");
}

TEST_CASE("a configuration that is no UTF-8 is not sent") {
  CHECK_THROWS_AS(encode_control(Launch{.command = "run", .arguments = "caf\xe9"}), ProtocolError);
}
