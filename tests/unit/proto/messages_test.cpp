#include "proto/messages.h"

#include <doctest/doctest.h>

using namespace tradewind;
using namespace tradewind::proto;

namespace {

// Through the wire and back.
template <typename T>
T sent(const T& message) {
  const std::string line = encode(message);
  REQUIRE(line.back() == '\n');
  return std::get<T>(decode(std::string_view(line).substr(0, line.size() - 1)));
}

std::string refused(std::string_view line) {
  try {
    decode(line);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("every message survives the wire") {
  const Hello hello = sent(Hello{.version = 7, .pid = 4321});
  CHECK(hello.version == 7);
  CHECK(hello.pid == 4321);
  CHECK(sent(Ready{"cuda:1"}).device == "cuda:1");
  CHECK(sent(Phase{"first step"}).name == "first step");
  CHECK(sent(Note{"a\nb \"c\" \xc3\xa9"}).text == "a\nb \"c\" \xc3\xa9");
  CHECK(sent(Warning{"w"}).text == "w");

  const Time when = parse_date("2024-02-29T18:00:00");
  const Step step = sent(Step{.step = 3, .steps = 8, .valid_time = when, .seconds = 0.125});
  CHECK(step.step == 3);
  CHECK(step.steps == 8);
  CHECK(step.valid_time == when);
  CHECK(step.seconds == 0.125);

  const Failure failure =
      sent(Failure{.kind = FailureKind::connection, .what = "a", .where = "b", .remedy = "c", .exit_code = 137});
  CHECK(failure.kind == FailureKind::connection);
  CHECK(failure.what == "a");
  CHECK(failure.where == "b");
  CHECK(failure.remedy == "c");
  CHECK(failure.exit_code == 137);
  sent(Stop{});
}

TEST_CASE("what a worker starts with and ends with survives the wire") {
  const Finished finished = sent(Finished{.exit_code = 1,
                                          .steps = 8,
                                          .seconds = {1, 2, 3, 4, 5, 6},
                                          .peak_rss_bytes = std::int64_t{5} << 33,
                                          .peak_device_bytes = 12,
                                          .figures = {{"rows", 5}, {"memory", {{"idle_bytes", 3}}}}});
  CHECK(finished.exit_code == 1);
  CHECK(finished.steps == 8);
  CHECK(finished.seconds.load == 1);
  CHECK(finished.seconds.input == 2);
  CHECK(finished.seconds.first_step == 3);
  CHECK(finished.seconds.step_median == 4);
  CHECK(finished.seconds.output == 5);
  CHECK(finished.seconds.total == 6);
  CHECK(finished.figures.dump() == R"({"rows":5,"memory":{"idle_bytes":3}})");
  CHECK(finished.peak_rss_bytes == std::int64_t{5} << 33);
  CHECK(finished.peak_device_bytes == 12);

  const Start start = sent(Start{.command = "run",
                                 .arguments = {{"b", 1}, {"a", {1, "x", nullptr}}},
                                 .rank = 1,
                                 .local_rank = 1,
                                 .world_size = 4,
                                 .threads = 2,
                                 .master_address = "127.0.0.1",
                                 .restart_folder = "/runs/1/restart",
                                 .resume = true,
                                 .streams = {{"/dev/stdout", 6}, {"/dev/fd/9", 7}}});
  CHECK(start.version == protocol_version);
  CHECK(start.command == "run");
  CHECK(start.arguments.dump() == R"({"b":1,"a":[1,"x",null]})");
  CHECK(start.rank == 1);
  CHECK(start.world_size == 4);
  CHECK(start.threads == 2);
  CHECK(start.master_address == "127.0.0.1");
  CHECK(start.restart_folder == "/runs/1/restart");
  CHECK(start.resume);
  CHECK(start.streams == std::map<std::string, int>{{"/dev/fd/9", 7}, {"/dev/stdout", 6}});
}

TEST_CASE("what breaks the protocol is refused by name") {
  CHECK(refused("") == "a line that is not a JSON object");
  CHECK(refused("hello") == "a line that is not a JSON object");
  CHECK(refused("[1]") == "a line that is not a JSON object");
  CHECK(refused("{\"type\":\"hello\"") == "a line that is not a JSON object");
  CHECK(refused("{}") == "an object without a `type`");
  CHECK(refused(R"({"type":3})") == "an object without a `type`");
  CHECK(refused(R"({"type":"shutdown"})") == "unknown message type `shutdown`");
  CHECK(refused(R"({"type":"hello","pid":1})") == "message `hello`: field `version` is missing");
  CHECK(refused(R"({"type":"hello","version":"1","pid":1})") == "message `hello`: field `version` is not an integer");
  CHECK(refused(R"({"type":"hello","version":1.5,"pid":1})") == "message `hello`: field `version` is not an integer");
  CHECK(refused(R"({"type":"hello","version":1,"pid":-1})") == "message `hello`: field `pid` is out of range");
  CHECK(refused(R"({"type":"hello","version":1,"pid":18446744073709551615})") ==
        "message `hello`: field `pid` is out of range");
  CHECK(refused(R"({"type":"phase","name":null})") == "message `phase`: field `name` is not a text");
  CHECK(refused(R"({"type":"step","step":1,"steps":2,"valid_time":"soon","seconds":1})") ==
        "message `step`: field `valid_time` is not a date");
  CHECK(refused(R"({"type":"step","step":1,"steps":2,"valid_time":"2024-01-01","seconds":-1})") ==
        "message `step`: field `seconds` is not a length of time");
  CHECK(refused(R"({"type":"error","kind":"odd","what":"","where":"","remedy":"","exit_code":1})") ==
        "message `error`: field `kind` has an unknown value");
  CHECK(refused(R"({"type":"error","kind":"user","what":"","where":"","remedy":"","exit_code":0})") ==
        "message `error`: field `exit_code` is out of range");
}

TEST_CASE("nesting is bounded") {
  CHECK(refused(std::string(100, '[')) == "JSON nested deeper than 64 levels");
  std::string deep = R"({"type":"note","text":"x","more":)";
  deep += std::string(100, '[') + std::string(100, ']') + "}";
  CHECK(refused(deep) == "JSON nested deeper than 64 levels");
}

TEST_CASE("unknown fields are ignored") {
  CHECK(std::get<Note>(decode(R"({"new":[1],"type":"note","text":"x"})")).text == "x");
}

TEST_CASE("a line is never longer than the cap") {
  CHECK(refused(std::string(max_line_bytes, 'x')) == "a line of 1048576 bytes");
  CHECK_THROWS_AS(encode(Start{.command = "run", .arguments = std::string(max_line_bytes, 'x')}), ProtocolError);
  const Failure cut = sent(Failure{.what = std::string(100000, 'w'), .where = "", .remedy = ""});
  CHECK(cut.what.size() < 17000);
  CHECK(cut.what.ends_with("w ..."));
}

TEST_CASE("texts that are not UTF-8 are mended, but not those of a config") {
  CHECK(sent(Note{"caf\xe9"}).text == "caf\xef\xbf\xbd");
  CHECK_THROWS_AS(encode(Start{.command = "run", .arguments = "caf\xe9"}), ProtocolError);
}

TEST_CASE("what ranks ask of the store survives the wire, whatever the bytes") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto request = sent(StoreRequest{.id = 7,
                                           .work = StoreRequest::Work::compare_set,
                                           .keys = {"k"},
                                           .value = bytes.substr(0, length),
                                           .expected = bytes.substr(length),
                                           .amount = -1});
    CHECK(request.id == 7);
    CHECK(request.work == StoreRequest::Work::compare_set);
    CHECK(request.keys == std::vector<std::string>{"k"});
    CHECK(request.value == bytes.substr(0, length));
    CHECK(request.expected == bytes.substr(length));
    CHECK(request.amount == -1);
  }
  CHECK(base64_of("foob") == "Zm9vYg==");  // RFC 4648
  const auto answer = sent(StoreAnswer{.id = 8, .number = 9, .values = {bytes, ""}, .more = true, .error = "why"});
  CHECK(answer.id == 8);
  CHECK(answer.number == 9);
  CHECK(answer.values == std::vector<std::string>{bytes, ""});
  CHECK(answer.more);
  CHECK(answer.error == "why");
  const std::string largest(max_store_value, '\x7f');
  CHECK(sent(StoreRequest{.keys = {"k"}, .value = largest}).value == largest);
  CHECK_THROWS_AS(encode(StoreRequest{.keys = {"caf\xe9"}}), ProtocolError);

  const auto request = [](const std::string& keys, const std::string& value, const std::string& work = "set") {
    return refused(R"({"type":"store","id":1,"do":")" + work + R"(","keys":)" + keys + R"(,"value":")" + value +
                   R"(","expected":"","amount":0})");
  };
  CHECK(request(R"(["k"])", "AA=") == "message `store`: field `value` is not base64");
  CHECK(request(R"(["k"])", "A*==") == "message `store`: field `value` is not base64");
  CHECK(request(R"(["k"])", "A=AA") == "message `store`: field `value` is not base64");
  CHECK(request(R"(["k"])", std::string(4 * (max_store_value / 3 + 1), 'A')) ==
        "message `store`: field `value` is too long");
  CHECK(request(R"(["k","l"])", "") == "message `store`: field `keys` has too many or too few elements");
  CHECK(request("[]", "") == "message `store`: field `keys` has too many or too few elements");
  CHECK(request(R"(["k"])", "", "listen") == "message `store`: field `do` has an unknown value");
  CHECK(request("[1]", "") == "message `store`: field `keys` has an element that is no key");
  CHECK(request("[\"" + std::string(max_store_key + 1, 'k') + "\"]", "") ==
        "message `store`: field `keys` has an element that is no key");
}
