// status.json as somebody else may have prepared it.
#include "launcher/watch/status_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>

#include "common/errors.h"
#include "common/printable.h"
#include "launcher/watch/status.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/watch/processes.h"
#include "tests/unit/watch/samples.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace tradewind::testing;

namespace {

std::string refusal(const std::string& text) {
  try {
    parse_status(text, "status.json");
  } catch (const UserError& error) {
    return error.message();
  }
  return "none";
}

// What is said of a key that is left out.
std::string oddity(const std::string& text) {
  const auto odd = parse_status(text, "status.json").odd;
  return odd.empty() ? "none" : odd.front();
}

}  // namespace

TEST_CASE("what a launcher writes is read back whole") {
  const auto status = status_json({computing(0), waiting(1)}, "running", 10);
  CHECK(parse_status(status.dump(), "f").status == status);
  CHECK(parse_status(status.dump(), "f").odd.empty());
  CHECK(status_json({computing(0)}, "running", 0)["ranks"][0]["wait_share"].is_null());
  CHECK(parse_status(status_json({computing(0)}, "running", 0).dump(), "f").odd.empty());
}

TEST_CASE("the keys of one object are bounded, not those of all") {
  const auto object = [](int keys) {
    std::string text;
    for (int i = 0; i < keys; ++i) text.append(i == 0 ? "{\"k" : ",\"k").append(std::to_string(i)).append("\":0");
    return text.append("}");
  };
  const auto within = [](const char* before, const std::string& inner, const char* after) {
    return std::string(before).append(inner).append(after);
  };
  const std::string refused = "this is no status of a run: an object of it has more than 1000 keys";
  CHECK(refusal(object(1000)) == "none");
  CHECK(refusal(object(1001)) == refused);
  CHECK(refusal(within(R"({"launcher":)", object(1001), "}")) == refused);
  CHECK(refusal(within(R"({"ranks":[{"a":{"b":)", object(1001), "}}]}")) == refused);
  std::string ranks;
  for (int i = 0; i < 100; ++i) ranks.append(i == 0 ? "" : ",").append(object(600));
  CHECK(refusal(within(R"({"ranks":[)", ranks, "]}")) == "none");
  const auto begin = std::chrono::steady_clock::now();
  CHECK(refusal(object(1'000'000)) == refused);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

TEST_CASE("depth, types and sizes are bounded") {
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  CHECK(refusal(R"({"state":"running","ranks":)" + deep + "}").find("nested deeper") != std::string::npos);
  CHECK(refusal(R"({"unknown":)" + deep + "}").find("nested deeper") != std::string::npos);
  CHECK(refusal("[]") == "this is no status of a run: it is a list, not an object");
  CHECK(oddity(R"({"state":5})") == "`state` is a number, not a text");
  CHECK_FALSE(parse_status(R"({"state":5})", "f").status.contains("state"));
  CHECK(refusal(R"({"ranks":{}})").find("`ranks` is an object, not a list") != std::string::npos);
  CHECK(refusal(R"({"ranks":[7]})").find("`ranks[0]` is a number, not an object") != std::string::npos);
  CHECK(oddity(R"({"ranks":[{"rank":0},{"step":"x"}]})") == "`ranks[1].step` is a text, not a number");
  CHECK(oddity(R"({"ranks":[{"rank":1e3}]})") == "`ranks[0].rank` is a number, not a whole number");
  for (const char* large :
       {R"({"ranks":[{"rank":99999999999}]})", R"({"launcher":{"pid":-99999999999}})",
        R"({"ranks":[{"resident_bytes":18446744073709551615}]})", R"({"ranks":[{"seconds_in_place":1e300}]})"})
    CHECK(oddity(large).ends_with("is out of all bounds"));
  const std::string many_odd =
      R"({"ranks":[{"rank":"0","host":1,"pid":"","device":2,"phase":3,"step":"","place":{}}]})";
  CHECK(parse_status(many_odd, "f").odd.size() == 5);
  CHECK(refusal(R"({"launcher":[]})").find("`launcher` is a list") != std::string::npos);
  for (const char* broken : {"", "{", "nul", "{\"state\":\"\xff\"}", "\x1b[2J"}) {
    CHECK(refusal(broken).starts_with("this is no status of a run: "));
    CHECK(refusal(broken).find('\x1b') == std::string::npos);
  }
  std::string many = R"({"ranks":[)";
  for (int i = 0; i < 100001; ++i) many += "{},";
  many.back() = ']';
  CHECK(refusal(many + "}").find("more than 100000 ranks") != std::string::npos);
}

TEST_CASE("texts come without control characters, unknown keys not at all") {
  const auto status =
      parse_status(
          R"({"state":"\u001b]0;title\u0007","secret":1,"ranks":[{"host":"a\u009bb\nc\u007f\u202e","device":"\u00e9"}]})",
          "f")
          .status;
  CHECK(status["state"] == "\\x1b]0;title\\x07");
  CHECK_FALSE(status.contains("secret"));
  CHECK(status["ranks"][0]["host"] == "a\\xc2\\x9bb\\x0ac\\x7f\xe2\x80\xae");
  CHECK(status["ranks"][0]["device"] == "\xc3\xa9");
  const auto table = status_table(status);
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(parse_status("{\"time\":\"" + std::string(5000, 'x') + "\"}", "f").status["time"].get<std::string>().size() ==
        400);
}

TEST_CASE("only a regular file of moderate size is read, and none is waited for") {
  const test::TemporaryFolder folder;
  const auto file = folder.path / "status.json";
  CHECK_THROWS_WITH_AS(read_status(file), doctest::Contains("No such file"), EnvironmentFault);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(read_status(file), doctest::Contains("not a regular file"), UserError);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  CHECK_THROWS_WITH_AS(read_status(file), doctest::Contains("not a regular file"), UserError);
  std::filesystem::remove(file);
  folder.write("other", "{}");
  std::filesystem::create_symlink("other", file);
  CHECK_THROWS_AS(read_status(file), EnvironmentFault);
  std::filesystem::remove(file);
  std::filesystem::create_symlink("/dev/zero", file);
  CHECK_THROWS_AS(read_status(file), EnvironmentFault);
  std::filesystem::remove(file);
  folder.write("status.json", "{}");
  CHECK(read_status(file).status == nlohmann::ordered_json::object());
  std::filesystem::resize_file(file, 1 << 30);
  CHECK_THROWS_WITH_AS(read_status(file), doctest::Contains("larger than 16 MiB"), UserError);
}

TEST_CASE("what a terminal obeys is shown instead") {
  CHECK(printable("a\tb\nc") == "a\tb\nc");
  CHECK(printable_line("a\tb\nc") == "a\tb\\x0ac");
  CHECK(printable("\x1b[31m\r\b\x7f") == "\\x1b[31m\\x0d\\x08\\x7f");
  CHECK(printable("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") == "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  // Bytes that are no UTF-8: alone, overlong, a surrogate, beyond the last code point, cut short.
  CHECK(printable("\x9b") == "\\x9b");
  CHECK(printable("\xc0\x9b") == "\\xc0\\x9b");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
}
