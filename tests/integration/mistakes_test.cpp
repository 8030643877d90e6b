// Mistakes of a user, as they are told: what, where, the way out, exit code 2, before anything starts, and all at once.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";

Result ask(const Folder& folder, Words arguments) {
  arguments.insert(arguments.begin(), TRADEWIND_EXECUTABLE);
  return run({.command = std::move(arguments),
              .folder = folder.path,
              .environment = {{"TRADEWIND_WORKER", TRADEWIND_FAKE_WORKER}, {"FAKE_WORKER", "well"}}});
}

struct Mistake {
  const char* yaml;  // after `checkpoint` and `input`, from line 3 on; or an override when it begins with `=`
  const char* where;
  const char* what;
  const char* remedy;
};

const Mistake mistakes[] = {
    {"lead_tme: 6h", "m.yaml:3:1", "unknown key `lead_tme`", "did you mean `lead_time`?"},
    {"lead_time: soon", "m.yaml:3:12", "`lead_time`: cannot read 'soon' as a duration", "6h"},
    {"lead_time: -6h", "m.yaml:3:12", "`lead_time` is negative", "10d"},
    {"date: 2024-02-30", "m.yaml:3:7", "there is no such day", "YYYY-MM-DD"},
    {"precision: 16", "m.yaml:3:12", "`precision` must be text", "'16'"},
    {"precision: flot16", "m.yaml:3:12", "precision 'flot16' is not known", "did you mean 'float16'?"},
    {"device: gpu", "m.yaml:3:9", "device 'gpu' is not supported", "cuda"},
    {"runner: paralel", "m.yaml:3:9", "unknown runner 'paralel'", "did you mean 'parallel'?"},
    {"runner: simple", "m.yaml:3:9", "runner 'simple' is not supported", "this build has"},
    {"world_size: 4", "m.yaml:3:13", "`world_size` needs a parallel runner", "runner: parallel"},
    {"runner: {parallel: {cluster: {slrum: {}}}}", "m.yaml:3:31", "unknown cluster 'slrum'", "did you mean 'slurm'?"},
    {"runner: {parallel: {cluster: {manual: 0}}}", "m.yaml:3:39", "`runner.parallel.cluster.manual.world_size` is 0",
     "1"},
    {"output: {zarr: out.zarr}", "m.yaml:3:10", "output 'zarr' is not supported", "this build has grib"},
    {"output: {gribb: out.grib}", "m.yaml:3:10", "unknown output 'gribb'", "did you mean 'grib'?"},
    {"output: {grib: {path: o.grib, encodng: {}}}", "m.yaml:3:31", "unknown key `output.grib.encodng`", "`encoding`"},
    {"output: {grib: {}}", "m.yaml:3:10", "`output.grib.path` is missing", "grib: FILE"},
    {"output: {grib: {path: o.grib, templates: {file: none.grib}}}", "m.yaml:3:49", "'none.grib' is not there", "path"},
    {"output: {grib: {path: o.grib, variables: [2t, 2y]}}", "m.yaml:3:47", "'2y' is no variable of this checkpoint",
     "did you mean '2t'?"},
    {"post_processors: [acumulate_from_start_of_forecast]", "m.yaml:3:19", "unknown post-processor", "did you mean"},
    {"post_processors: [{accumulate_from_start_of_forecast: {accumulations: [cp]}}]", "m.yaml:3:72",
     "'cp' is no variable that this checkpoint forecasts", "did you mean 'tp'?"},
    {"pre_processors: [no_missing_value]", "m.yaml:3:18", "unknown pre-processor", "did you mean 'no_missing_values'?"},
    {"output_frequency: 5h\nlead_time: 24h", "m.yaml:3:19", "`output_frequency` is 5h, of which no step", "6h"},
    {"predict_kwargs: [members]", "m.yaml:3:17", "`predict_kwargs` must be a map, not a list", "{name"},
    {"use_profiler: true", "m.yaml:3:1", "`use_profiler` is not supported", "--report"},
    {"initial_state_categories: [prognostic]", "m.yaml:3:28", "cannot be 'prognostic'", "did you mean 'prognostics'?"},
    {"constant_forcings: {grib: none.grib}", "m.yaml:3:27", "the input 'none.grib' is not there", "path"},
    {"patch_metadata: none.yaml", "m.yaml:3:17", "none.yaml: there is no such file", "path"},
    {"description: ${nobody}", "m.yaml:3:14", "interpolation key 'nobody' is not there", "set that key"},
    {"env: {OMP_NUM_THREADS: 1.5}", "m.yaml:3:24", "`env.OMP_NUM_THREADS` must be an integer", "whole"},
    {"a: [1", "m.yaml:", "this is not YAML", "brackets"},
    // What is wrong is not computed with.
    {"output: {grib: {path: o.grib, output_frequency: 0h}}", "m.yaml:3:49",
     "`output.grib.output_frequency` must be longer than nothing", "6h"},
    {"output: {tee: [printer, {raw: {dir: d, output_frequency: 0}}]}", "m.yaml:3:58",
     "`output.tee.1.raw.output_frequency` must be longer than nothing", "6h"},
    {"output: {printer: {output_frequency: -6h}}", "m.yaml:3:38",
     "`output.printer.output_frequency` must be longer than nothing", "6h"},
    {"output: {raw: ''}", "m.yaml:3:15", "`output.raw.dir` is empty", "path"},
    {"output: {grib: \"o\\0.grib\"}", "m.yaml:3:16", "`output.grib.path` holds the character 0", "\\0"},
    {"=output.grb=x.grib", "override 'output.grb=x.grib'", "unknown output 'grb'", "did you mean 'grib'?"},
    {"=lead_time", "override 'lead_time'", "this is not key=value", "lead_time=6h"},
};

}  // namespace

TEST_CASE("thirty mistakes, one by one") {
  const Folder folder(example);
  double slowest = 0;
  for (const Mistake& mistake : mistakes) {
    const std::string shown(mistake.yaml);
    CAPTURE(shown);
    const bool is_override = shown.starts_with("=");
    write_text(folder.path / "m.yaml", "checkpoint: inference-last.ckpt\ninput: {grib: input.grib}\n" +
                                           (is_override ? std::string() : shown + "\n"));
    Words words = {"run", "m.yaml"};
    if (is_override) words.push_back(shown.substr(1));
    const auto begin = std::chrono::steady_clock::now();
    const Result result = ask(folder, words);
    slowest = std::max(slowest, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    CAPTURE(result.error);
    CHECK(result.code == 2);
    CHECK(result.output.empty());
    CHECK(result.error.find("error: " + std::string(mistake.where)) != std::string::npos);
    CHECK(result.error.find(mistake.what) != std::string::npos);
    const std::size_t remedy = result.error.find("  remedy: ");
    REQUIRE(remedy != std::string::npos);
    CHECK(result.error.find(mistake.remedy, remedy) != std::string::npos);
    for (const auto& entry : fs::directory_iterator(folder.path)) CHECK_FALSE(entry.is_directory());
  }
  std::printf("the slowest of %zu mistakes was told after %.3f s\n", std::size(mistakes), slowest);
}

TEST_CASE("twelve mistakes in one config, in one call, in its order") {
  const Folder folder(example);
  write_text(folder.path / "m.yaml",
             "checkpoint: inference-last.ckpt\n"
             "input: {grib: none.grib}\n"
             "lead_tme: 6h\n"
             "date: tomorrow\n"
             "precision: 16\n"
             "runner: paralel\n"
             "output:\n"
             "  grib:\n"
             "    path: out.grib\n"
             "    check_encoding: maybe\n"
             "    variables: [2t, 2y]\n"
             "    negative_step_mode: ignore\n"
             "post_processors:\n"
             "- accumulate_from_start_of_forecast: {accumulations: [cp]}\n"
             "- extract_from_state\n"
             "predict_kwargs: [members]\n");
  const std::pair<const char*, const char*> expected[] = {
      {"m.yaml:2:15", "the input 'none.grib' is not there"},
      {"m.yaml:3:1", "unknown key `lead_tme`"},
      {"m.yaml:4:7", "`date`"},
      {"m.yaml:5:12", "`precision` must be text"},
      {"m.yaml:6:9", "unknown runner 'paralel'"},
      {"m.yaml:10:21", "`output.grib.check_encoding` must be true or false"},
      {"m.yaml:11:21", "'2y' is no variable of this checkpoint"},
      {"m.yaml:12:25", "`output.grib.negative_step_mode` cannot be 'ignore'"},
      {"m.yaml:14:55", "'cp' is no variable that this checkpoint forecasts"},
      {"m.yaml:15:3", "post-processor 'extract_from_state' is not supported"},
      {"m.yaml:16:17", "`predict_kwargs` must be a map, not a list"},
      {"override 'seed=many'", "`seed` must be an integer"},
  };
  for (const Words& words :
       {Words{"run", "m.yaml", "seed=many", "--json"}, Words{"run", "m.yaml", "seed=many", "--check", "--json"}}) {
    const auto begin = std::chrono::steady_clock::now();
    const Result result = ask(folder, words);
    std::printf("twelve mistakes were told after %.3f s\n",
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    CHECK(result.code == 2);
    const Json json = Json::parse(result.output);
    CHECK(json["exit_code"] == 2);
    REQUIRE(json["errors"].size() == std::size(expected));
    std::size_t at = 0;
    for (std::size_t i = 0; i < std::size(expected); ++i) {
      const Json& error = json["errors"][i];
      CAPTURE(error.dump());
      CHECK(error["where"] == expected[i].first);
      CHECK(error["what"].get<std::string>().find(expected[i].second) != std::string::npos);
      CHECK(!error["remedy"].get<std::string>().empty());
      const std::size_t line = result.error.find("error: " + std::string(expected[i].first) + ": ", at);
      REQUIRE(line != std::string::npos);  // in this order
      at = line;
    }
    CHECK(json["errors"][5]["file"] == "m.yaml");
    CHECK(json["errors"][5]["line"] == 10);
    CHECK(json["errors"][5]["column"] == 21);
    CHECK(result.error.ends_with("error: 12 things to mend; nothing was started\n"));
    for (const auto& entry : fs::directory_iterator(folder.path)) CHECK_FALSE(entry.is_directory());
  }
}

TEST_CASE("a config in a folder whose name holds `=`, and a check that starts nothing") {
  const Folder folder(example);
  fs::create_directories(folder.path / "exp=5");
  fs::copy_file(fs::canonical(folder.path / "config.yaml"), folder.path / "exp=5" / "a=b.yaml");
  const Result check = ask(folder, {"run", "exp=5/a=b.yaml", "--check"});
  CHECK(check.code == 0);
  CHECK(check.output == "nothing stands in the way of this run (1 rank)\n");
  const Result run = ask(folder, {"run", "exp=5/a=b.yaml", "--quiet"});
  CHECK(run.code == 0);
  bool beside = false;
  for (const auto& entry : fs::directory_iterator(folder.path / "exp=5")) beside = beside || entry.is_directory();
  CHECK(beside);  // the run folder
}

TEST_CASE("usage lines name the program") {
  const Folder folder;
  for (const char* command : {"run", "inspect", "predict", "cluster", "compare", "status", "drill"}) {
    const Result result = ask(folder, {command, "--help"});
    CHECK(result.code == 0);
    CHECK(result.output.find("Usage: tradewind " + std::string(command) + " ") != std::string::npos);
  }
  CHECK(ask(folder, {"--help"}).output.find("Usage: tradewind ") != std::string::npos);
}
