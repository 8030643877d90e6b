// `tradewind status`: which run it shows, and what it says of one whose launcher was killed.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// A run folder as its launcher leaves it, so many minutes ago.
void make_run(const fs::path& folder, int minutes, const std::string& state = "done", int launcher = 0) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  fs::create_directories(folder);
  const Json status = {{"time", "2024-01-15T00:01:02"},
                       {"state", state},
                       {"launcher", {{"host", host.data()}, {"pid", launcher}}},
                       {"ranks", Json::array()}};
  write_text(folder / "status.json", status.dump());
  fs::last_write_time(folder / "status.json", fs::file_time_type::clock::now() - std::chrono::minutes(minutes));
}

Result status(const Folder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {TRADEWIND_EXECUTABLE, "status"});
  return run({.command = std::move(arguments), .folder = folder.path});
}

std::string shown(const Folder& folder, std::vector<std::string> arguments) {
  const std::string text = status(folder, std::move(arguments)).output;
  return text.substr(0, text.find(' '));
}

}  // namespace

TEST_CASE("the run that is meant is shown: a folder, the newest in a folder or beside a configuration, or of a job") {
  const Folder folder;
  make_run(folder.path / "tradewind-run-20240115T000000Z", 5);
  make_run(folder.path / "tradewind-run-site-4711-20240115T000000Z", 4);
  make_run(folder.path / "tradewind-run-site-471.0", 3);
  make_run(folder.path / "tradewind-run-47110", 2);
  make_run(folder.path / "mine", 1);
  fs::create_directories(folder.path / "configs" / "empty");
  make_run(folder.path / "configs" / "tradewind-run-20240115T000000Z", 9);
  write_text(folder.path / "configs" / "config.yaml", "");
  write_text(folder.path / "config.yaml", "");
  CHECK(shown(folder, {}) == "mine");
  CHECK(shown(folder, {"tradewind-run-20240115T000000Z"}) == "tradewind-run-20240115T000000Z");
  CHECK(shown(folder, {"configs"}) == "configs/tradewind-run-20240115T000000Z");
  CHECK(shown(folder, {"configs/config.yaml"}) == "configs/tradewind-run-20240115T000000Z");
  CHECK(shown(folder, {"config.yaml"}) == "mine");
  CHECK(shown(folder, {"4711"}) == "tradewind-run-site-4711-20240115T000000Z");
  CHECK(shown(folder, {"471"}) == "tradewind-run-site-471.0");
  CHECK(shown(folder, {"47110"}) == "tradewind-run-47110");
  for (const char* missing : {"configs/empty", "4712", "nowhere"}) {
    const Result result = status(folder, {missing});
    CHECK(result.code == 2);
    CHECK(result.error.starts_with("error: " + std::string(missing) + ": no "));
    CHECK(result.error.find("give the run folder") != std::string::npos);
  }
}

TEST_CASE("a run folder that somebody else has prepared is told of, not obeyed") {
  const Folder folder;
  const auto shows = [&](const std::string& text) {
    fs::create_directories(folder.path / "r");
    write_text(folder.path / "r" / "status.json", text);
    return status(folder, {"r"});
  };
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  for (const std::string& bad : {R"({"state":"running","ranks":)" + deep + "}", std::string(R"({"ranks":[1]})"),
                                 std::string("[1]"), std::string()}) {
    const Result result = shows(bad);
    CHECK(result.code == 2);
    CHECK(result.error.find("error: r/status.json: this is no status of a run: ") == 0);
    CHECK(result.output.empty());
  }
  const Result other = shows(R"({"state":5,"ranks":[{"rank":"0","host":"n1"}]})");
  CHECK(other.code == 0);
  CHECK(other.error.find("warning: r/status.json: `state` is a number, not a text: left out\n") == 0);
  CHECK(other.output.find("n1") != std::string::npos);
  const Result odd = shows(R"({"state":"\u001b]0;title\u0007","ranks":[{"host":"\u001b[31mred"}]})");
  CHECK(odd.code == 0);
  CHECK(odd.output.find("\\x1b[31mred") != std::string::npos);
  CHECK((odd.output + odd.error).find('\x1b') == std::string::npos);
  CHECK(status(folder, {"--json", "r"}).output.find('\x1b') == std::string::npos);
  // Its name, too, is the stranger's.
  fs::rename(folder.path / "r", folder.path / "r\x1b[2J");
  const Result named = status(folder, {});
  CHECK(named.code == 0);
  CHECK(named.output.find('\x1b') == std::string::npos);
  const Result missing = status(folder, {"no\x1b[2Jwhere"});
  CHECK(missing.code == 2);
  CHECK(missing.error.find('\x1b') == std::string::npos);
}

TEST_CASE("a run whose launcher was killed does not pass for a running one") {
  const Folder folder;
  constexpr int nobody = 0x7fffffff;  // more than the kernel gives out
  make_run(folder.path / "run", 1, "running", nobody);
  CHECK(status(folder, {"run"}).output.find("  killed\n") != std::string::npos);
  CHECK(Json::parse(status(folder, {"run", "--json"}).output)["state"] == "killed");
  make_run(folder.path / "run", 1, "running", ::getpid());
  const std::string silent = status(folder, {"run"}).output;
  CHECK(silent.find("  running\n") != std::string::npos);
  CHECK(silent.find("no news for 60 s: its launcher may be gone") != std::string::npos);
  make_run(folder.path / "run", 0, "running", nobody);  // it may have ended since
  CHECK(Json::parse(status(folder, {"run", "--json"}).output)["state"] == "running");
}
