#include "launcher/report/report.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "launcher/report/rank_table.h"
#include "launcher/report/run_folder.h"
#include "tests/helpers/temporary_folder.h"

using namespace tradewind;
using namespace tradewind::launcher;
namespace fs = std::filesystem;

TEST_CASE("the report of a run that is done") {
  Outcome outcome;
  outcome.status = "done";
  outcome.steps = 8;
  outcome.seconds = {.load = 1, .input = 2, .first_step = 3, .step_median = 4, .output = 5, .total = 99};
  outcome.ranks = {{.host = "h", .pid = 7, .device = "cpu", .peak_rss_bytes = 1000, .peak_device_bytes = 0}};
  CHECK(report_of(outcome, 6).dump() ==
        R"({"status":"done","exit_code":0,"world_size":1,"steps":8,)"
        R"("seconds":{"load":1.0,"input":2.0,"first_step":3.0,"step_median":4.0,"output":5.0,"total":6.0},)"
        R"("ranks":[{"rank":0,"host":"h","pid":7,"device":"cpu","peak_rss_bytes":1000,"peak_device_bytes":0}]})");
}

TEST_CASE("what a rank tells of itself is in the report and in the table") {
  Outcome outcome;
  outcome.status = "done";
  for (int i = 0; i < 3; ++i) {
    RankResult rank{.pid = 7 + i, .device = "cpu", .peak_rss_bytes = 300'000'000, .figures = {}};
    rank.figures = Json::parse(R"({"rows":20160,"halo_rows":{"encoder":{"own":20160,"halo":100},
      "processor":{"own":5472,"halo":512}},"traffic":{"encoder":{"calls":3,"bytes_sent":2000,"bytes_received":5000,
      "seconds":0.5,"waiting":0.25}},"seconds":{"computing":12.345,"communicating":0.25,"waiting":0.25},
      "memory":{"own_peak_bytes":123456789}})");
    outcome.ranks.push_back(rank);
  }
  const Json report = report_of(outcome, 6);
  CHECK(report["ranks"][2]["halo_rows"]["processor"]["halo"] == 512);
  CHECK(report["ranks"][2]["pid"] == 9);
  CHECK(
      rank_table(outcome, 2) ==
      "rank   rows  halo rows    sent  received  computing  communicating  waiting  writing, s  own memory  peak "
      "resident\n"
      "0     20160        612  2000 B    5000 B      12.35           0.25     0.25           -      123 MB         300 "
      "MB\n"
      "1     20160        612  2000 B    5000 B      12.35           0.25     0.25           -      123 MB         300 "
      "MB\n"
      "and 1 ranks more, in the report\n"
      "exchange  calls  sent by all ranks  s per rank  of which waiting\n"
      "encoder       3             6000 B        0.50              0.25\n");
  // What does not fit the form does no harm.
  outcome.ranks[0].figures = Json::parse(R"({"rows":"many","traffic":[1],"halo_rows":{"encoder":7}})");
  CHECK(rank_table(outcome).find("0         -          0  ") != std::string::npos);
  CHECK(rank_table(Outcome{}).empty());
}

TEST_CASE("the report of a failure says what, where and the way out") {
  Outcome outcome;
  outcome.status = "failed";
  outcome.exit_code = 139;
  outcome.ranks.resize(2);
  outcome.error = RankError{.rank = 1, .what = "w", .where = "x", .remedy = "r", .phase = "load", .last_lines = {"l"}};
  const Json report = report_of(outcome, 6);
  CHECK(report["world_size"] == 2);
  CHECK(report["error"].dump() ==
        R"({"what":"w","where":"x","remedy":"r","rank":1,"phase":"load","last_lines":["l"]})");
  CHECK_FALSE(report.contains("knock_on"));
  outcome.knock_on = {{.rank = 0, .what = "reset", .where = "halo", .phase = "step"}};
  CHECK(report_of(outcome, 6)["knock_on"].dump() == R"([{"rank":0,"what":"reset","where":"halo","phase":"step"}])");
  const Json early = report_of(UserError("w", "x", "r"), 1, 0.5);
  CHECK(early["status"] == "failed");
  CHECK(early["exit_code"] == 2);
  CHECK(early["error"]["what"] == "w");
  CHECK(early["ranks"].empty());
}

TEST_CASE("a report replaces an older one whole") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path / "report.json";
  write_report({{"a", 1}}, path);
  write_report({{"a", 2}}, path);
  CHECK(Json::parse(std::ifstream(path))["a"] == 2);
  CHECK(folder.entries() == 1);
  CHECK_THROWS_AS(write_report({}, folder.path / "no" / "report.json"), EnvironmentFault);
}

TEST_CASE("run folders are their owner's, and never shared") {
  const test::TemporaryFolder folder;
  const auto now = parse_date("2024-01-15T06:07:08");
  const std::string first = make_run_folder("", folder.path, now);
  CHECK(fs::path(first).filename() == "tradewind-run-20240115T060708Z");
  CHECK(fs::path(make_run_folder("", folder.path, now)).filename() == "tradewind-run-20240115T060708Z-2");
  CHECK(fs::path(make_run_folder("", folder.path, now, "7")).filename() == "tradewind-run-7-20240115T060708Z");
  struct stat info {};
  REQUIRE(::stat(first.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  const std::string given = folder.path / "given";
  CHECK(make_run_folder(given, "/nowhere", now) == given);
  CHECK(make_run_folder(given, "/nowhere", now) == given);
  CHECK_THROWS_AS(make_run_folder("", "/nowhere", now), EnvironmentFault);
  std::ofstream(folder.path / "file") << "x";
  CHECK_THROWS_AS(make_run_folder(folder.path / "file", "", now), EnvironmentFault);
  // One that others may write to, or that somebody else's link leads to, is nobody's.
  fs::permissions(given, fs::perms::others_write, fs::perm_options::add);
  CHECK_THROWS_WITH_AS(make_run_folder(given, "", now), doctest::Contains("others may write"), EnvironmentFault);
  fs::create_directory_symlink(fs::path(first).filename(), folder.path / "mine");
  CHECK(make_run_folder(folder.path / "mine/", "", now) == fs::canonical(first));
  CHECK(fs::path(make_shared_run_folder(folder.path, "42")).filename() == "tradewind-run-42");
  CHECK(fs::path(make_shared_run_folder(folder.path, "42")).filename() == "tradewind-run-42");
  fs::create_directory_symlink(first, folder.path / "tradewind-run-43");
  CHECK_THROWS_WITH_AS(make_shared_run_folder(folder.path, "43"), doctest::Contains("it is a link"), EnvironmentFault);
}

TEST_CASE("a run folder is made beside a config that is a file, else in the current folder, else among the temporary") {
  const test::TemporaryFolder folder;
  const Environment environment(std::map<std::string, std::string>{{"TMPDIR", "/scratch"}});
  std::ofstream(folder.path / "c.yaml") << "x";
  using Parents = std::vector<std::string>;
  CHECK(parents_of_run_folders(folder.path / "c.yaml", environment) == Parents{folder.path.string(), "", "/scratch"});
  CHECK(parents_of_run_folders("/dev/stdin", environment) == Parents{"", "/scratch"});
  CHECK(parents_of_run_folders("/dev/fd/63", environment) == Parents{"", "/scratch"});
  CHECK(parents_of_run_folders("/proc/self/fd/0", environment) == Parents{"", "/scratch"});
  REQUIRE(::mkfifo((folder.path / "pipe").c_str(), 0600) == 0);
  CHECK(parents_of_run_folders(folder.path / "pipe", Environment()) == Parents{"", "/tmp"});
  CHECK(parents_of_run_folders("", environment) == Parents{"", "/scratch"});
}

TEST_CASE("a report of a failure goes to no file that is something else") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path / "r.json";
  CHECK(may_hold_report(path));
  std::ofstream(path) << "";
  CHECK(may_hold_report(path));
  write_report(report_of(UserError("w", "x", "r"), 1, 0.5), path);
  CHECK(may_hold_report(path));
  std::ofstream(path) << "{\"checkpoint\": \"m.ckpt\"}";
  CHECK_FALSE(may_hold_report(path));
  CHECK_THROWS_AS(try_report(folder.path / "no" / "r.json"), UserError);
  CHECK_THROWS_AS(try_report(folder.path), UserError);
}
