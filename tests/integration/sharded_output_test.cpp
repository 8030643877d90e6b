// Inputs and outputs of several ranks when the outside world fails or is slow: full disks, vanished folders, damaged
// messages, pipes that nobody reads. Each failure is one error that names rank and cause, and leaves nothing behind.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "tests/integration/grib_messages.h"
#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";

Program forecast(const Folder& folder, int ranks, const std::vector<std::string>& overrides) {
  Program program;
  program.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "--run-dir", "d", "runner=parallel"};
  program.command.push_back("world_size=" + std::to_string(ranks));
  program.command.insert(program.command.end(), overrides.begin(), overrides.end());
  program.folder = folder.path;
  program.environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE}, {"TRADEWIND_TEST_MARK", folder.path}};
  return program;
}

// One error, of one rank, in the output and in the report; nobody left.
void check_failed(const Folder& folder, const Result& result, int ranks, int code, const std::string& cause) {
  CAPTURE(result.error);
  CHECK(result.code == code);
  const auto error = result.error.find("error: ");
  REQUIRE(error != std::string::npos);
  CHECK(result.error.find("error: ", error + 1) == std::string::npos);
  CHECK(result.error.find(cause, error) != std::string::npos);
  if (ranks > 1) CHECK(std::regex_search(result.error, std::regex("error: rank [0-9]+: ")));
  const Json report = Json::parse(text_of(folder.path / "d" / "report.json"));
  CHECK(report["status"] == "failed");
  CHECK(report["exit_code"] == code);
  CHECK(report["error"]["what"].get<std::string>().find(cause) != std::string::npos);
  CHECK(report["error"]["rank"].is_number());
  CHECK(processes_marked(folder.path) == 0);
}

// Lets a reader go once the run has come so far.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace

TEST_CASE("a full disk ends the run with the error of the rank that met it") {
  const std::string tiny = "mount -t tmpfs -o size=500k none out";
  {
    const Folder folder(example);
    fs::create_directory(folder.path / "out");
    const Result able = run({.command = {"/usr/bin/unshare", "-rm", "/bin/sh", "-c", tiny}, .folder = folder.path});
    if (able.code != 0) {
      MESSAGE("skipped: no file systems can be mounted here");
      return;
    }
  }
  for (const int ranks : {1, 2, 4}) {
    CAPTURE(ranks);
    const Folder folder(example);
    fs::create_directory(folder.path / "out");
    Program program = forecast(folder, ranks, {"lead_time=10d", "output.grib.path=out/o.grib"});
    const std::vector<std::string> inside = {"/usr/bin/unshare", "-rm", "/bin/sh", "-c",
                                             tiny + R"( && "$0" "$@"; code=$?; ls out; exit $code)"};
    program.command.insert(program.command.begin(), inside.begin(), inside.end());
    const Result result = run(program);
    check_failed(folder, result, ranks, 1, "cannot write the output: No space left on device");
    CHECK(result.error.find("out/o.grib.partial") != std::string::npos);
    CHECK(result.error.find("remedy: make room there") != std::string::npos);
    CHECK(result.output == "o.grib.partial\n");
  }
}

TEST_CASE("an output folder that vanishes ends the run") {
  for (const int ranks : {1, 3}) {
    CAPTURE(ranks);
    const Folder folder(example);
    Program program = forecast(folder, ranks, {"lead_time=100d", "output.grib.path=out/o.grib"});
    bool gone = false;
    program.watch = [&](pid_t, const std::string& error) {
      if (gone || error.find("step 3/400") == std::string::npos) return;
      gone = true;
      fs::remove_all(folder.path / "out");
    };
    check_failed(folder, run(program), ranks, 1, "the output file was removed while it was being written");
    CHECK_FALSE(fs::exists(folder.path / "out"));
  }
}

TEST_CASE("a damaged message ends the run with the error of the rank that met it") {
  for (const int ranks : {1, 2, 4}) {
    CAPTURE(ranks);
    const Folder folder(example);
    auto messages = messages_of(text_of(example / "input.grib"));
    constexpr std::size_t damaged = 7, bits_per_value = 288 + 19;  // 10v at the start date, of 24 bits
    REQUIRE(short_name(messages.at(damaged)) == "10v");
    REQUIRE(messages[damaged].at(bits_per_value) == 24);
    messages[damaged][bits_per_value] = 60;
    write_text(folder.path / "input.grib", joined(messages));
    const Result result = run(forecast(folder, ranks, {"lead_time=6h"}));
    check_failed(folder, result, ranks, 2, "");
    CHECK(result.error.find("input.grib, message 8 at byte") != std::string::npos);
    // Message 9 of the 16 that the ranks share, counted from 0: field 1 of the second date.
    if (ranks > 1) CHECK(result.error.find("error: rank 1: ") != std::string::npos);
    CHECK_FALSE(fs::exists(folder.path / "output.grib"));
  }
}

TEST_CASE("a pipe that nobody reads stops no step before the buffer is full") {
  const Folder whole(example);
  REQUIRE(run(forecast(whole, 1, {"lead_time=10d"})).code == 0);
  const std::string expected = text_of(whole.path / "output.grib");
  for (const int ranks : {1, 2}) {
    CAPTURE(ranks);
    const Folder folder(example);
    const fs::path pipe = folder.path / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    Program program = forecast(folder, ranks, {"lead_time=10d", "output.grib.path=pipe"});
    program.environment["TRADEWIND_OUTPUT_BUFFER"] = std::to_string(ranks);  // MiB, of all ranks
    // Steps that fit into 1 MiB; 40 and the initial state are twice as much and more.
    const std::size_t step_bytes = expected.size() / 41, fit = (1 << 20) / step_bytes;
    REQUIRE(fit < 30);
    Gate gate;
    std::string received;
    std::thread reader([&] {
      std::ifstream stream(pipe, std::ios::binary);
      gate.wait();
      received.assign(std::istreambuf_iterator<char>(stream), {});
    });
    program.watch = [&](pid_t, const std::string& error) {
      if (error.find("step " + std::to_string(fit - 1) + "/40") != std::string::npos ||
          error.find("error: ") != std::string::npos)
        gate.open();
    };
    const Result result = run(program);
    reader.join();
    CAPTURE(result.error);
    CHECK(result.code == 0);
    CHECK(received == expected);
    const Json report = Json::parse(text_of(folder.path / "d" / "report.json"));
    const Json& output = report["ranks"][0]["output"];
    CHECK(output["pending_limit_bytes"] == 1 << 20);
    CHECK(output["most_pending_bytes"] <= 1 << 20);
    CHECK(output["most_pending_bytes"] > 1 << 19);  // the pipe itself holds 64 KiB
    CHECK(output["bytes"] == expected.size());
    if (ranks > 1) CHECK(report["ranks"][1]["output"]["bytes"] == 0);
  }
}

TEST_CASE("several output files of several ranks") {
  const Folder folder(example);
  write_text(folder.path / "config.yaml", [] {
    std::string config = text_of(example / "config.yaml");
    const auto output = config.find("output:\n");
    return config.substr(0, output) + "output: {parallel: {num_writers: 2, output: {grib: out/f.grib}}}\n";
  }());
  const Result result = run(forecast(folder, 2, {"lead_time=12h"}));
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  const auto first = messages_of(text_of(folder.path / "out/f_w0.grib"));
  const auto second = messages_of(text_of(folder.path / "out/f_w1.grib"));
  CHECK(first.size() == 15);  // 3 states of 10 fields
  CHECK(second.size() == 15);
  CHECK(short_name(first[0]) == "10u");
  CHECK_FALSE(fs::exists(folder.path / "out/f.grib"));
  CHECK(std::distance(fs::directory_iterator(folder.path / "out"), {}) == 2);
}

TEST_CASE("the report says what each rank did") {
  const Folder folder(example);
  const Result result = run(forecast(folder, 3, {"lead_time=12h", "--verbose"}));
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  CHECK(result.error.find("rank  rows  halo rows") != std::string::npos);
  const Json ranks = Json::parse(text_of(folder.path / "d" / "report.json"))["ranks"];
  REQUIRE(ranks.size() == 3);
  std::int64_t rows = 0, sent = 0, received = 0, written = 0;
  double waited = 0;
  for (const Json& rank : ranks) {
    rows += rank["rows"].get<std::int64_t>();
    for (const auto& entry : rank["traffic"].items()) {
      const std::string& phase = entry.key();
      const Json& traffic = entry.value();
      CAPTURE(phase);
      if (phase != "input" && phase != "start") {  // sums over all ranks are counted by halves
        sent += traffic["bytes_sent"].get<std::int64_t>();
        received += traffic["bytes_received"].get<std::int64_t>();
      }
      waited += traffic["waiting"].get<double>();
      CHECK(traffic["waiting"] <= traffic["seconds"]);
    }
    CHECK(rank["traffic"]["processor"]["bytes_sent"] > 0);
    CHECK(rank["halo_rows"]["processor"]["halo"] >= 48);  // the window, on one side at least
    CHECK(rank["halo_rows"]["processor"]["own"] == 214);  // 642 hidden rows
    CHECK(rank["seconds"]["computing"] > 0);
    CHECK(rank["seconds"]["communicating"] > 0);
    CHECK(rank["memory"]["own_peak_bytes"] > 1 << 20);
    CHECK(rank["memory"]["own_bytes"]["load"] <= rank["memory"]["own_peak_bytes"]);
    CHECK(rank["output"]["encoding_seconds"] > 0);
    written += rank["output"]["bytes"].get<std::int64_t>();
  }
  CHECK(rows == 5248);
  CHECK(waited > 0);  // never do three ranks make every call at once
  CHECK(sent == received);
  CHECK(static_cast<std::uintmax_t>(written) == fs::file_size(folder.path / "output.grib"));
}
