// What a run reads and writes, held against each other: by name, by link, by pattern, and by what is there already.
#include "launcher/launch/path_claims.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/files/lock_file.h"
#include "launcher/launch/path_names.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/config/config_case.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;
using test::put_text;
using test::TemporaryFolder;

// Tests name files as users do: relative to the current folder.
class InFolder {
 public:
  InFolder() : before_(fs::current_path()) {
    fs::current_path(folder_.path);
    for (const char* name : {"an.grib", "m.ckpt", "t.grib", "c.yaml"}) put_text(name, name);
    fs::create_symlink("an.grib", "link.grib");
    fs::create_hard_link("an.grib", "hard.grib");
    fs::create_symlink("nowhere.grib", "dangling.grib");
    fs::create_directories("data/deep");
    fs::create_directories("out");
    for (const char* name : {"data/a.grib", "data/deep/b.grb2", "data/notes.txt"}) put_text(name, name);
    fs::create_hard_link("data/a.grib", "second.grib");
    fs::create_symlink("data", "folder-link");
    fs::create_symlink("../elsewhere.grib", "data/in-link.grib");
    fs::create_symlink("..", "data/deep/loop");
    put_text("elsewhere.grib", "x");
  }
  ~InFolder() { fs::current_path(before_); }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  TemporaryFolder folder_;
  fs::path before_;
};

// Of a run with this output and input; empty: nothing clashes.
std::string clash(const std::string& output, const std::string& input, const PathClaims& more = {}) {
  PathClaims claims;
  add_output(claims, output, true, "c.yaml:9:5");
  claims.push_back({.names = PathClaim::Names::sources, .path = input, .role = "the input", .where = "c.yaml:5:9"});
  claims.push_back({.path = "m.ckpt", .role = "the checkpoint", .where = "c.yaml:1:13"});
  claims.insert(claims.end(), more.begin(), more.end());
  try {
    check_claims(claims);
  } catch (const UserError& error) {
    CHECK_FALSE(error.remedy().empty());
    return error.where() + ": " + error.message();
  }
  return {};
}

TEST_CASE("an output that is the input, however it is called, is refused and both are named") {
  const InFolder folder;
  const std::string said = clash("an.grib", "an.grib");
  CHECK(said == "c.yaml:9:5: the output 'an.grib' is the input 'an.grib' (c.yaml:5:9)");
  const std::string absolute = fs::current_path() / "an.grib";
  for (const std::string& output : {std::string("./an.grib"), std::string("out/../an.grib"), std::string("link.grib"),
                                    std::string("hard.grib"), absolute, std::string("folder-link/../an.grib")})
    CHECK_MESSAGE(clash(output, "an.grib").find("the input 'an.grib'") != std::string::npos, output);
  for (const std::string& input : {std::string("link.grib"), std::string("hard.grib"), absolute})
    CHECK_MESSAGE(!clash("an.grib", input).empty(), input);
  CHECK_FALSE(clash("m.ckpt", "an.grib").empty());
  CHECK_FALSE(clash("an.grib/x.grib", "an.grib").empty());
  // What a link points at will be written, even if it is not there yet.
  CHECK_FALSE(clash("dangling.grib", "nowhere.grib").empty());
  for (const char* output : {"out.grib", "out/an.grib", "an.grib2", "an", "data/../out/new/an.grib"})
    CHECK_MESSAGE(clash(output, "an.grib").empty(), clash(output, "an.grib"));
}

TEST_CASE("an output that the input's folder or pattern would take in is refused") {
  const InFolder folder;
  for (const char* output : {"data/a.grib", "data/new.grib", "data/deep/new.grb", "folder-link/new.grib", "second.grib",
                             "elsewhere.grib", "data/{step}.grib", "{shortName}/a.grib"})
    CHECK_MESSAGE(!clash(output, "data").empty(), output);
  for (const char* output : {"data/out.txt", "data.grib", "out/a.grib", "an.grib", "out/{shortName}.grib"})
    CHECK_MESSAGE(clash(output, "data").empty(), clash(output, "data"));
  for (const char* output : {"data/a.grib", "data/b.grib", "second.grib", "folder-link/c.grib", "data/x-{step}.grib"})
    CHECK_MESSAGE(!clash(output, "data/*.grib").empty(), output);
  for (const char* output : {"data/deep/c.grib", "data/c.grb", "out/c.grib"})
    CHECK_MESSAGE(clash(output, "data/*.grib").empty(), clash(output, "data/*.grib"));
  CHECK_FALSE(clash("data/deep/er/c.grib", "data/**/*.grib").empty());
  CHECK_FALSE(clash("data/c.grib", "data/**/*.grib").empty());
  CHECK_FALSE(clash("data/deep/b.grb2", "data/*/b.grb?").empty());
}

TEST_CASE("keys in the output's path stand for what GRIB can put there") {
  const InFolder folder;
  put_text("20240115.grib", "x");
  CHECK_FALSE(clash("{dataDate}.grib", "20240115.grib").empty());
  CHECK_FALSE(clash("{dataDate:08d}.grib", "20240115.grib").empty());
  CHECK_FALSE(clash("{shortName}.grib", "an.grib").empty());
  CHECK(clash("{dataDate}.grib", "an.grib").empty());  // a date is a number
  CHECK(clash("{step:03}.grib", "an.grib").empty());
  CHECK(clash("out/{shortName}.grib", "an.grib").empty());
  fs::create_symlink("../an.grib", "out/7.grib");
  CHECK(clash("out/{step}.grib", "an.grib").find("is the same file as the input") != std::string::npos);
  CHECK(clash("{shortName}-x.grib", "an.grib").empty());
  // `laf{dateTime}` could be `laf{dateTime}.partial` by its letters: one output does not stand in its own way.
  for (const char* output : {"out/laf{dateTime}", "out/out.{shortName}", "out/f_{step}_{shortName}"})
    CHECK_MESSAGE(clash(output, "an.grib").empty(), clash(output, "an.grib"));
}

TEST_CASE("what an output has beside it, other outputs, the report and the run folder count, too") {
  const InFolder folder;
  put_text("o.grib.partial", "x");
  CHECK(clash("o.grib", "o.grib.partial").find("/o.grib.partial' is the input 'o.grib.partial'") != std::string::npos);
  CHECK_FALSE(clash("o.grib", "o.grib.partial").empty());
  CHECK_FALSE(clash("o.grib", "o.grib.*").empty());
  CHECK_FALSE(clash("o.grib", "o.grib.lock").empty());
  const auto report = [](const std::string& path) {
    return PathClaims{{.use = PathClaim::Use::writes, .path = path, .role = "the report", .where = "--report"}};
  };
  for (const char* path : {"o.grib", "an.grib", "m.ckpt", "hard.grib", "./o.grib.partial", "o.grib/r.json"})
    CHECK_MESSAGE(!clash("o.grib", "an.grib", report(path)).empty(), path);
  CHECK(clash("o.grib", "an.grib", report("r.json")).empty());
  CHECK(clash("/dev/null", "an.grib", report("/dev/null")).empty());
  PathClaims two;
  add_output(two, "o.grib", true, "b");
  CHECK_FALSE(clash("o.grib", "an.grib", two).empty());

  const auto run_folder = [](const std::string& path) {
    PathClaims claims;
    add_run_folder(claims, path, "--run-dir");
    return claims;
  };
  fs::create_directory("rd");
  for (const char* output : {"rd", "rd/report.json", "rd/status.json", "rd/logs/rank-0.log", "rd/restart/point.json"})
    CHECK_MESSAGE(!clash(output, "an.grib", run_folder("rd")).empty(), output);
  CHECK_FALSE(clash("x", "an.grib", run_folder("x/rd")).empty());
  CHECK_FALSE(clash("o.grib", "rd/report.json", run_folder("rd")).empty());
  CHECK_FALSE(clash("o.grib", "rd/*.json", run_folder("rd")).empty());
  CHECK(clash("rd/forecast.grib", "an.grib", run_folder("rd")).empty());
  CHECK(clash("o.grib", "rd/an.grib", run_folder("rd")).empty());
}

TEST_CASE("two names of one pipe are refused as two outputs, a terminal or the null device are not") {
  const InFolder folder;
  REQUIRE(::mkfifo("pipe", 0600) == 0);
  fs::create_symlink("pipe", "pipe-link");
  const PathClaims report = {
      {.use = PathClaim::Use::writes, .path = "pipe-link", .role = "the report", .where = "--report"}};
  CHECK_FALSE(clash("pipe", "an.grib", report).empty());
}

TEST_CASE("a configuration says all that it touches, with its places") {
  const InFolder folder;
  const config::ConfigCase config;
  const auto document = config.document(
      "checkpoint: m.ckpt\n"
      "input: {grib: an.grib}\n"
      "constant_forcings: {grib: data}\n"
      "output:\n"
      "  parallel: {num_writers: 2, output: {grib: {path: 'o-{dataset}.grib', templates: [{file: t.grib}, "
      "{samples: [[{levtype: pl}, 's-{level}.grib']]}]}}}\n");
  const PathClaims claims = claims_of(config::parse_run_config(document), document, {"era5"});
  const auto find = [&](const std::string& path) -> const PathClaim* {
    for (const PathClaim& claim : claims)
      if (claim.path == path) return &claim;
    return nullptr;
  };
  const std::string here = fs::canonical(fs::current_path()).string();
  for (const std::string& path : {std::string("m.ckpt"), std::string("an.grib"), std::string("data"),
                                  std::string("t.grib"), std::string("s-{level}.grib"), std::string("o-era5_w0.grib"),
                                  std::string("o-era5_w1.grib"), here + "/o-era5_w1.grib.partial"})
    CHECK_MESSAGE(find(path) != nullptr, path);
  REQUIRE(find("an.grib") != nullptr);
  CHECK(find("an.grib")->where == config.at(2, 15));
  REQUIRE(find("o-era5_w0.grib") != nullptr);
  CHECK(find("o-era5_w0.grib")->where.find(config.at(5, 1).substr(0, config.at(5, 1).size() - 1)) == 0);
  CHECK_NOTHROW(check_claims(claims));
}

TEST_CASE("the paths of several datasets are held against each other") {
  const InFolder folder;
  const config::ConfigCase config;
  const auto clash_of = [&](const std::string& streams) {
    const auto document = config.document("checkpoint: m.ckpt\n" + streams);
    const PathClaims claims = claims_of(config::parse_run_config(document), document, {"era5", "other"});
    const Refusals all = config::refused([&] { check_claims(claims); });
    return all.empty() ? std::string() : all[0].what + "; " + all[0].remedy;
  };
  CHECK(clash_of("input: {era5: {grib: a.grib}, other: {grib: b.grib}}\n"
                 "output: {era5: {grib: x.grib}, other: {grib: y.grib}}\n")
            .empty());
  CHECK(clash_of("input: {grib: all.grib}\noutput: {grib: 'o-{dataset}.grib'}\n").empty());
  // One file for both; one's output that the other reads; an output that is what another has beside it.
  const std::string shared = clash_of("input: {grib: all.grib}\noutput: {grib: o.grib}\n");
  CHECK(shared.find("the output 'o.grib' is") == 0);
  CHECK(shared.find("{dataset} in it stands for the dataset's name") != std::string::npos);
  const std::string crossed = clash_of(
      "input: {era5: {grib: a.grib}, other: {grib: b.grib}}\n"
      "output: {era5: {grib: b.grib}, other: {grib: y.grib}}\n");
  CHECK(crossed.find("the output 'b.grib' is") == 0);
  CHECK(crossed.find("the input 'b.grib'") != std::string::npos);
  const std::string beside =
      clash_of("input: {grib: all.grib}\noutput: {era5: {grib: y.grib}, other: {grib: y.grib.partial}}\n");
  CHECK(beside.find("y.grib.partial") != std::string::npos);
}

TEST_CASE("an output that another run is writing is refused before anything starts") {
  const InFolder folder;
  PathClaims claims;
  add_output(claims, "o.grib", true, "c.yaml:9:5");
  {
    const auto locks = lock_outputs(claims, "process 7");
    CHECK(locks.size() == 1);
    CHECK(holder_of_lock("o.grib.lock") == "process 7");
    CHECK(LockFile::take("o.grib.lock", "it", "", LockPart::writer, "process 7").kept());
    CHECK_THROWS_WITH_AS(lock_outputs(claims, "process 8"), doctest::Contains("held by another run: process 7"),
                         UserError);
  }
  CHECK_FALSE(fs::exists("o.grib.lock"));
  const LockFile lock = LockFile::take("o.grib.lock", "the output", "");
  fs::create_symlink("o.grib", "other.grib");
  PathClaims by_link;
  add_output(by_link, "other.grib", true, "c.yaml:9:5");
  CHECK_THROWS_AS(lock_outputs(by_link, "process 7"), UserError);
}

}  // namespace
}  // namespace tradewind::launcher
