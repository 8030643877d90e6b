// `--restart`: ranks of real forecasts are killed in the middle, and the files at the end are those of a run that
// nothing has disturbed, byte for byte.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer", ensemble = TRADEWIND_GOLDEN_DIR "/legacy/0.9.3-ens";
using Words = std::vector<std::string>;

Program forecast(const Folder& folder, int ranks, const Words& words) {
  Program program;
  program.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "--run-dir", "d", "lead_time=10d"};
  program.command.push_back("runner=parallel");
  program.command.push_back(std::string("world_size=").append(std::to_string(ranks)));
  program.command.insert(program.command.end(), words.begin(), words.end());
  program.folder = folder.path;
  program.environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE}, {"TRADEWIND_TEST_MARK", folder.path}};
  return program;
}

// The run's workers, oldest first, which is rank 0 first.
std::vector<pid_t> workers_of(const Folder& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc"))
    if (text_of(entry.path() / "environ").find(folder.path.string()) != std::string::npos &&
        text_of(entry.path() / "comm") == "tradewind-worke\n")
      found.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
  std::sort(found.begin(), found.end());
  return found;
}

// Ends one worker each time that a step has been told after `times` attempts have begun; ranks in the order given.
class Killer {
 public:
  Killer(const Folder& folder, std::vector<std::size_t> ranks) : folder_(folder), ranks_(std::move(ranks)) {}
  void operator()(const std::string& told) {
    if (done_ == ranks_.size()) return;
    const std::size_t again = done_ == 0 ? 0 : told.find("goes on after step", seen_);
    if (again == std::string::npos) return;
    // Not after the first step of an attempt: there is to be a point.
    std::size_t at = again;
    for (int lines = 0; lines < 3; ++lines) {
      at = told.find("\nstep ", at + 1);
      if (at == std::string::npos) return;
    }
    const std::vector<pid_t> workers = workers_of(folder_);
    if (ranks_[done_] >= workers.size()) return;
    seen_ = told.size();
    ::kill(workers[ranks_[done_++]], SIGKILL);
  }
  std::size_t kills() const { return done_; }

 private:
  const Folder& folder_;
  std::vector<std::size_t> ranks_;
  std::size_t done_ = 0, seen_ = 0;
};

Result run_and_kill(const Folder& folder, int ranks, const Words& words, const std::vector<std::size_t>& killed) {
  Program program = forecast(folder, ranks, words);
  Killer killer(folder, killed);
  program.watch = [&](pid_t, const std::string& told) { killer(told); };
  Result result = run(program);
  CHECK(killer.kills() == killed.size());
  CHECK(processes_marked(folder.path) == 0);
  return result;
}

Json report_of(const Folder& folder) { return Json::parse(text_of(folder.path / "d" / "report.json")); }

std::map<std::string, std::string> outputs_of(const Folder& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder.path / "out"))
    files[entry.path().filename().string()] = text_of(entry.path());
  return files;
}

}  // namespace

TEST_CASE("a run that has lost ranks ends with the file of an undisturbed one") {
  for (const int ranks : {2, 4}) {
    CAPTURE(ranks);
    const Words words = {"output.grib.path=out/o.grib", "post_processors=[accumulate_from_start_of_forecast]"};
    const Folder calm(example);
    const Result whole = run(forecast(calm, ranks, words));
    CAPTURE(whole.error);
    REQUIRE(whole.code == 0);

    const Folder rough(example);
    Words restarting = words;
    restarting.insert(restarting.end(), {"--restart", "2"});
    const auto last = static_cast<std::size_t>(ranks - 1);
    const Result result = run_and_kill(rough, ranks, restarting, {last, 0});
    CAPTURE(result.error);
    CHECK(result.code == 0);
    CHECK((outputs_of(rough) == outputs_of(calm)));
    CHECK(outputs_of(calm).size() == 1);
    CHECK_FALSE(fs::exists(rough.path / "d" / "restart"));
    const Json report = report_of(rough);
    CHECK(report["status"] == "done");
    CHECK(report["steps"] == 40);
    REQUIRE(report["restarts"].size() == 2);
    CHECK(report["restarts"][0]["rank"] == ranks - 1);
    CHECK(report["restarts"][1]["rank"] == 0);
    for (const Json& attempt : report["restarts"]) {
      CHECK(attempt["exit_code"] == 128 + SIGKILL);
      CHECK(attempt["what"].get<std::string>().find("ended by signal 9") != std::string::npos);
      CHECK(attempt["steps"].get<int>() >= 3);
    }
    CHECK_FALSE(report_of(calm).contains("restarts"));
  }
}

TEST_CASE("several files, one rank, and a step of output only now and then") {
  const Words words = {"output.grib.path=out/{shortName}-{step:03}.grib", "output_frequency=12h"};
  const Folder calm(example), rough(example);
  REQUIRE(run(forecast(calm, 1, words)).code == 0);
  Words restarting = words;
  restarting.insert(restarting.end(), {"--restart", "1"});
  const Result result = run_and_kill(rough, 1, restarting, {0});
  CAPTURE(result.error);
  CHECK(result.code == 0);
  CHECK((outputs_of(rough) == outputs_of(calm)));
  CHECK(outputs_of(calm).size() > 20);
}

TEST_CASE("a member of an ensemble or of a transport model is the same after ranks were lost") {
  for (const fs::path& drawn : {ensemble, fs::path(TRADEWIND_GOLDEN_DIR "/transport-steps")}) {
    CAPTURE(drawn);
    const Words words = {"output.grib.path=out/o.grib"};
    const Folder calm(drawn), rough(drawn);
    REQUIRE(run(forecast(calm, 2, words)).code == 0);
    Words restarting = words;
    restarting.insert(restarting.end(), {"--restart", "2"});
    const Result result = run_and_kill(rough, 2, restarting, {1, 0});
    CAPTURE(result.error);
    CHECK(result.code == 0);
    CHECK((outputs_of(rough) == outputs_of(calm)));
    CHECK(outputs_of(calm).size() == 1);
  }
}

TEST_CASE("a temporal downscaler is the same after ranks were lost in the middle of its windows") {
  // The example between dates: from the ends of a window to its second, each read anew.
  const Words words = {"output.grib.path=out/o.grib", "post_processors=[accumulate_from_start_of_forecast]"};
  const Folder calm(example), rough(example);
  for (const Folder* folder : {&calm, &rough}) {
    fs::remove(folder->path / "config.yaml");
    write_text(folder->path / "config.yaml",
               "checkpoint: inference-last.ckpt\nprecision: f32\ndate: 2024-01-15\n"
               "input: {repeated_dates: {source: {grib: input.grib}, date: '2024-01-15', mode: constant}}\n"
               "patch_metadata: {metadata_inference: {task: temporal-downscaler, data: {timesteps: "
               "{input_relative_date_indices: [0, 1], output_relative_date_indices: [1]}}}}\n"
               "output: {grib: {path: o.grib, templates: [{input: {tp: 2t, tcc: 2t, lsm: 2t, z: 2t}}, builtin]}}\n");
  }
  const Result whole = run(forecast(calm, 2, words));
  CAPTURE(whole.error);
  REQUIRE(whole.code == 0);
  Words restarting = words;
  restarting.insert(restarting.end(), {"--restart", "2"});
  const Result result = run_and_kill(rough, 2, restarting, {1, 0});
  CAPTURE(result.error);
  CHECK(result.code == 0);
  CHECK((outputs_of(rough) == outputs_of(calm)));
  CHECK(outputs_of(calm).size() == 1);
  CHECK(report_of(rough)["restarts"].size() == 2);
  CHECK(report_of(rough)["steps"] == 40);
}

TEST_CASE("a run is started again as often as was said, not more") {
  const Folder folder(example);
  const Result result = run_and_kill(folder, 2, {"output.grib.path=out/o.grib", "--restart", "1"}, {1, 1});
  CAPTURE(result.error);
  CHECK(result.code == 128 + SIGKILL);
  CHECK(outputs_of(folder).contains("o.grib.partial"));
  const Json report = report_of(folder);
  CHECK(report["status"] == "failed");
  CHECK(report["restarts"].size() == 1);
  CHECK(report["error"]["rank"] == 1);
}

TEST_CASE("an earlier run's state in the same run folder is not gone on from") {
  const Folder folder(example);
  REQUIRE(run_and_kill(folder, 2, {"output.grib.path=out/o.grib", "--restart", "1"}, {1, 1}).code == 137);
  REQUIRE(fs::exists(folder.path / "d" / "restart" / "point.json"));
  const Result anew = run(forecast(folder, 2, {"output.grib.path=out/o.grib", "--restart", "1"}));
  CAPTURE(anew.error);
  CHECK(anew.code == 0);
  CHECK(anew.error.find("goes on") == std::string::npos);
  const Folder calm(example);
  REQUIRE(run(forecast(calm, 2, {"output.grib.path=out/o.grib"})).code == 0);
  CHECK((outputs_of(folder) == outputs_of(calm)));
}

TEST_CASE("what cannot be gone on with is refused by name; a mistake is not tried twice") {
  const auto refused = [](const Words& words, const std::string& why) {
    const Folder folder(example);
    Program program = forecast(folder, 2, words);
    program.command.insert(program.command.end(), {"--restart", "3"});
    const Result result = run(program);
    CAPTURE(result.error);
    CHECK(result.code == 2);
    CHECK(result.error.find(why) != std::string::npos);
    CHECK(result.error.find("starting again") == std::string::npos);
    CHECK_FALSE(report_of(folder).contains("restarts"));
  };
  refused({"output=printer"}, "the output `printer`");
  refused({"output.grib.path=/dev/stdout"}, "/dev/stdout");
  refused({"date=2020-01-01"}, "error: ");
}

TEST_CASE("ranks that something else has started are not started again") {
  const Folder folder(example);
  Program program = forecast(folder, 2, {"--restart", "1"});
  program.environment.insert({{"RANK", "1"},
                              {"LOCAL_RANK", "1"},
                              {"WORLD_SIZE", "2"},
                              {"MASTER_ADDR", "127.0.0.1"},
                              {"MASTER_PORT", "29999"}});
  const Result result = run(program);
  CAPTURE(result.error);
  CHECK(result.code == 2);
  CHECK(result.error.find("cannot be started again") != std::string::npos);
}
