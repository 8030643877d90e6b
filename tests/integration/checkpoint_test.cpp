// Checkpoints that must not make a forecast: `inspect`, the launcher and the ranks say the same of them, and nothing
// takes its final name.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "common/archive/archive.h"
#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";
using Words = std::vector<std::string>;

Program program_of(const Folder& folder, Words command) {
  command.insert(command.begin(), TRADEWIND_EXECUTABLE);
  Program program;
  program.command = std::move(command);
  program.folder = folder.path;
  program.environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE}, {"TRADEWIND_TEST_MARK", folder.path}};
  return program;
}

Program forecast(const Folder& folder, int ranks, const Words& words) {
  Words command = {"run", "config.yaml", "--run-dir", "d", "runner=parallel"};
  command.push_back(std::string("world_size=").append(std::to_string(ranks)));
  command.insert(command.end(), words.begin(), words.end());
  return program_of(folder, command);
}

bool says(const Result& result, const std::string& text) { return result.error.find(text) != std::string::npos; }

// The test's own copy instead of the link.
fs::path own_checkpoint(const Folder& folder) {
  const fs::path path = folder.path / "inference-last.ckpt";
  fs::remove(path);
  fs::copy_file(example / "inference-last.ckpt", path);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  return path;
}

// Flips a bit of a weight; returns the entry's name.
std::string damage(const fs::path& checkpoint) {
  const auto archive = tradewind::archive::Archive::open(checkpoint.string());
  const auto* entry = archive->find(archive->root() + "data/140");
  REQUIRE(entry != nullptr);
  std::fstream file(checkpoint, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(entry->offset) + 2);
  const char byte = static_cast<char>(file.get() ^ 0x40);
  file.seekp(static_cast<std::streamoff>(entry->offset) + 2);
  file.put(byte);
  return entry->name;
}

// As soon as there is one: while it loads.
void kill_first_worker(const Folder& folder) {
  for (int tries = 0; tries < 20000; ++tries) {
    if (const pid_t worker = marked_process("TRADEWIND_TEST_MARK=" + folder.path.string(), "tradewind-worke")) {
      ::kill(worker, SIGKILL);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

TEST_CASE("what inspect calls an obstacle ends a run before it starts, all of it at once") {
  const Folder folder(example);
  const Result result =
      run(forecast(folder, 1,
                   {"lead_time=6h", "precision=null", "patch_metadata.metadata_inference.task=autoencoder",
                    "patch_metadata.config.training.precision=64-true"}));
  CAPTURE(result.error);
  CHECK(result.code == 2);
  CHECK(says(result, "the task autoencoder is not supported"));
  CHECK(says(result, "precision '64-true' has no counterpart"));
  CHECK(says(result, "tradewind exec -- anemoi-inference run config.yaml"));
  CHECK_FALSE(fs::exists(folder.path / "output.grib"));
  CHECK_FALSE(fs::exists(folder.path / "output.grib.partial"));
}

TEST_CASE("a sampling that the model cannot be asked for is told before anything starts") {
  const Folder folder(TRADEWIND_GOLDEN_DIR "/transport-steps");
  const Result result = run(program_of(
      folder, {"run", "config.yaml", "--check", "predict_kwargs={schedule_params: {sigma_min: 200}}", "seed=x"}));
  CAPTURE(result.error);
  CHECK(result.code == 2);
  CHECK(says(result, "schedule_params: {sigma_min: 200}}'"));
  CHECK(says(result, "is below sigma_min (200)"));
  CHECK(says(result, "`seed` must be an integer"));
}

TEST_CASE("inspect tells the filters of a configuration, place by place") {
  const Folder folder(example);
  write_text(folder.path / "filters.yaml",
             "checkpoint: inference-last.ckpt\n"
             "input: {grib: {path: input.grib, pre_processors: [no_missing_values]}}\n"
             "pre_processors: [{forward-transform-filter: {rescale: {param: 2t, scale: 2, offset: 0}}}]\n"
             "post_processors: [{backward_transform_filter: {rescale: {param: 2t, scale: 2, offset: 0}}}, "
             "accumulate_from_start_of_forecast]\n"
             "output: {tee: [printer, {raw: {dir: out, post_processors: [{extract_slice: [0, 9]}]}}]}\n");
  const Result told = run(program_of(folder, {"inspect", "inference-last.ckpt", "--config", "filters.yaml", "--json"}));
  CAPTURE(told.error);
  REQUIRE(told.code == 0);
  const Json report = Json::parse(told.output);
  CHECK(report["runnable"] == true);
  const Json expected = {
      {{"place", "input"}, {"filters", {"no_missing_values"}}},
      {{"place", "pre_processors"}, {"filters", {"rescale"}}},
      {{"place", "post_processors"}, {"filters", {"rescale (backward)", "accumulate_from_start_of_forecast"}}},
      {{"place", "output.raw"}, {"filters", {"extract_slice"}}}};
  CHECK(report["filters"] == expected);
  write_text(folder.path / "filters.yaml", "checkpoint: c\npre_processors: [wishful]\n");
  CHECK(run(program_of(folder, {"inspect", "inference-last.ckpt", "--config", "filters.yaml"})).code == 2);
}

TEST_CASE("a flipped bit in a weight ends the run before its output has a name") {
  for (const int ranks : {1, 3}) {
    CAPTURE(ranks);
    const Folder folder(example);
    const std::string entry = damage(own_checkpoint(folder));
    const Result result = run(forecast(folder, ranks, {"lead_time=12h"}));
    CAPTURE(result.error);
    CHECK(result.code == 2);
    CHECK(says(result, entry + ": the entry is damaged"));
    CHECK_FALSE(fs::exists(folder.path / "output.grib"));
    CHECK(processes_marked(folder.path) == 0);
  }
}

TEST_CASE("with --verify a flipped bit is found before anything starts, and by inspect") {
  const Folder folder(example);
  const fs::path checkpoint = own_checkpoint(folder);
  const Result fine = run(program_of(folder, {"inspect", checkpoint, "--verify", "--json"}));
  CHECK(Json::parse(fine.output)["runnable"] == true);
  const std::string entry = damage(checkpoint);
  const Result result = run(forecast(folder, 1, {"lead_time=12h", "--verify"}));
  CAPTURE(result.error);
  CHECK(result.code == 2);
  CHECK(says(result, entry));
  CHECK_FALSE(fs::exists(folder.path / "output.grib.partial"));
  const Result inspected = run(program_of(folder, {"inspect", checkpoint, "--verify", "--json"}));
  const Json report = Json::parse(inspected.output);
  CHECK(report["runnable"] == false);
  REQUIRE(report["obstacles"].size() == 1);
  CHECK(report["obstacles"][0]["where"] == entry);
  CHECK(Json::parse(run(program_of(folder, {"inspect", checkpoint, "--json"})).output)["runnable"] == true);
}

TEST_CASE("a checkpoint that is written to or cut off while a run reads it is named") {
  for (const bool cut : {false, true}) {
    CAPTURE(cut);
    const Folder folder(example);
    const fs::path checkpoint = own_checkpoint(folder);
    Program program = forecast(folder, 2, {"lead_time=400d", "precision=f32"});
    bool done = false;
    program.watch = [&](pid_t, const std::string& told) {
      if (done || told.find("step 3") == std::string::npos) return;
      done = true;
      if (cut)
        fs::resize_file(checkpoint, 4096);
      else
        fs::last_write_time(checkpoint, fs::last_write_time(checkpoint) + std::chrono::seconds(10));
    };
    const Result result = run(program);
    CAPTURE(result.error);
    CHECK(done);
    CHECK(result.code != 0);
    CHECK(says(result, "inference-last.ckpt"));
    CHECK((says(result, "has changed while it was in use") || says(result, "was cut off")));
    CHECK_FALSE(fs::exists(folder.path / "output.grib"));
    CHECK(processes_marked(folder.path) == 0);
  }
}

TEST_CASE("a run does not take up what an earlier run has left in its folder, also not in a further attempt") {
  const Folder calm(example), folder(example);
  REQUIRE(run(forecast(calm, 1, {"lead_time=5d"})).code == 0);
  // The earlier run: of another length, ended after it has kept a state.
  Program earlier = forecast(folder, 1, {"lead_time=100d", "--restart", "1"});
  int kills = 0;
  earlier.watch = [&](pid_t, const std::string& told) {
    const std::size_t again = kills == 0 ? 0 : told.find("goes on after step");
    if (kills == 2 || again == std::string::npos ||
        told.find("\nstep ", told.find("\nstep ", again) + 1) == std::string::npos)
      return;
    if (const pid_t worker = marked_process("TRADEWIND_TEST_MARK=" + folder.path.string(), "tradewind-worke")) {
      ::kill(worker, SIGKILL);
      ++kills;
    }
  };
  CHECK(run(earlier).code == 128 + SIGKILL);
  REQUIRE(fs::exists(folder.path / "d" / "restart" / "point.json"));
  Result result;
  {
    std::jthread killer([&] { kill_first_worker(folder); });
    result = run(forecast(folder, 1, {"lead_time=5d", "--restart", "1"}));
  }
  CAPTURE(result.error);
  CHECK(result.code == 0);
  CHECK_FALSE(says(result, "goes on after step"));
  CHECK((text_of(folder.path / "output.grib") == text_of(calm.path / "output.grib")));
  CHECK(Json::parse(text_of(folder.path / "d" / "report.json"))["restarts"].size() == 1);
}
