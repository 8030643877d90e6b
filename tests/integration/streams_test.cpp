// Outputs that are streams: standard output, descriptors of the shell, pipes. They get the file's bytes and no others,
// and what goes wrong with them ends a run as a full disk does.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";

// By a shell, in which $T is tradewind, $RUN a short forecast and $GO the options of a parallel one.
Result shell(const Folder& folder, const std::string& script, int ranks = 1) {
  const std::string parallel = "runner=parallel world_size=" + std::to_string(ranks);
  return run({.command = {"/bin/bash", "-c", script},
              .folder = folder.path,
              .environment = {{"T", TRADEWIND_EXECUTABLE},
                              {"RUN", TRADEWIND_EXECUTABLE " run config.yaml lead_time=12h --run-dir d " + parallel},
                              {"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE},
                              {"TRADEWIND_TEST_MARK", folder.path}}});
}

void check_error(const Folder& folder, const Result& result, const std::string& what) {
  CAPTURE(result.error);
  CHECK(result.code == 1);
  const auto error = result.error.find("error: ");
  REQUIRE(error != std::string::npos);
  CHECK(result.error.find("error: ", error + 1) == std::string::npos);
  CHECK(result.error.find(what, error) != std::string::npos);
  CHECK(processes_marked(folder.path) == 0);
  if (what.find("Bad file descriptor") != std::string::npos) return;  // found before there is a run folder
  const Json report = Json::parse(text_of(folder.path / "d" / "report.json"));
  CHECK(report["status"] == "failed");
  CHECK(report["exit_code"] == 1);
  CHECK(report["error"]["what"].get<std::string>().find(what) != std::string::npos);
  CHECK(processes_marked(folder.path) == 0);
}

}  // namespace

TEST_CASE("a stream gets the bytes of the file, and no others") {
  const Folder folder(example);
  REQUIRE(shell(folder, "$RUN output.grib.path=file.grib").code == 0);
  const std::string wanted = text_of(folder.path / "file.grib");
  REQUIRE(wanted.size() > 1 << 16);
  const std::vector<std::string> ways = {"$RUN output.grib.path=/dev/stdout >got",
                                         "$RUN output.grib.path=/dev/stdout | cat >got",
                                         "$RUN output.grib.path=/proc/self/fd/1 --verbose >got",
                                         "$RUN output.grib.path=/dev/fd/7 7>got",
                                         "exec $RUN output.grib.path=/proc/$$/fd/7 7>got",
                                         "ln -s /dev/stdout out; $RUN output.grib.path=out >got && test -L out",
                                         "mkfifo p; cat p >got & $RUN output.grib.path=p && wait",
                                         "mkfifo p; { sleep 1; cat p >got; } & $RUN output.grib.path=p && wait",
                                         "$RUN output.grib.path=/dev/stdout 2>&1 >got | cat >&2"};
  for (const int ranks : {1, 2, 3}) {
    for (const std::string& way : ways) {
      CAPTURE(ranks);
      CAPTURE(way);
      const Result result = shell(folder, way, ranks);
      CAPTURE(result.error);
      CHECK(result.code == 0);
      CHECK(result.output.empty());
      CHECK(text_of(folder.path / "got") == wanted);
      fs::remove(folder.path / "got");
      fs::remove(folder.path / "out");
      fs::remove(folder.path / "p");
    }
  }
  // What stands there is added to, not written over.
  const Result more = shell(folder, "echo first >got; $RUN output.grib.path=/dev/stdout >>got; echo last >>got", 2);
  CHECK(more.code == 0);
  CHECK(text_of(folder.path / "got") == "first\n" + wanted + "last\n");
}

TEST_CASE("a stream that takes no more ends the run with its cause") {
  struct Case {
    std::string script, what;
  };
  const std::vector<Case> cases = {
      {"$RUN lead_time=10d output.grib.path=/dev/stdout | head -c 100 >/dev/null; exit ${PIPESTATUS[0]}",
       "cannot write to standard output: Broken pipe"},
      {"$RUN output.grib.path=/dev/stdout >/dev/full", "cannot write to standard output: No space left on device"},
      {"$RUN output.grib.path=/dev/full", "cannot write to /dev/full: No space left on device"},
      {"$RUN output.grib.path=/dev/fd/8 8>/dev/full", "cannot write to /dev/fd/8: No space left on device"},
      {"$RUN output.grib.path=/dev/stdout >&-", "cannot write to standard output: Bad file descriptor"},
      {"$RUN output.grib.path=/dev/stdout 1</dev/null", "cannot write to standard output: Bad file descriptor"},
      {"ulimit -f 100; $RUN output.grib.path=/dev/stdout >got", "cannot write to standard output: File too large"},
      {"mkfifo p; head -c 100 p >/dev/null & $RUN lead_time=10d output.grib.path=p", "cannot write to p: Broken pipe"},
      {"$RUN output=printer >/dev/full", "cannot write to standard output: No space left on device"},
      {"$RUN output=printer >&-", "cannot write to standard output: Bad file descriptor"},
      {"$RUN output=null output.printer.path=/dev/full", "cannot write to /dev/full: No space left on device"},
      {"$RUN lead_time=100d output=printer | head -c 10 >/dev/null; exit ${PIPESTATUS[0]}",
       "cannot write to standard output: Broken pipe"}};
  for (const int ranks : {1, 3}) {
    for (const Case& one : cases) {
      CAPTURE(ranks);
      CAPTURE(one.script);
      const Folder folder(example);
      check_error(folder, shell(folder, one.script, ranks), one.what);
    }
  }
}

TEST_CASE("streams that cannot be an output are refused before anything starts") {
  const Folder folder(example);
  const Result closed = shell(folder, "$RUN output.grib.path=/dev/fd/9");
  CHECK(closed.code == 1);
  CHECK(closed.error.find("cannot write to /dev/fd/9: Bad file descriptor") != std::string::npos);
  const Result several =
      shell(folder,
            "sed '/^output:/,$d' config.yaml >c.yaml; echo 'output: {parallel: {num_writers: 2, output: "
            "{grib: /dev/stdout}}}' >>c.yaml; ${RUN/config.yaml/c.yaml} >got");
  CHECK(several.code == 2);
  CHECK(several.error.find("output.parallel: several files cannot be written to standard output") != std::string::npos);
  CHECK(text_of(folder.path / "got").empty());
  CHECK_FALSE(fs::exists("/dev/stdout_w0"));
}

TEST_CASE("a file of a memory file system below /dev is a file like any other") {
  if (!fs::is_directory("/dev/shm")) return;
  const Folder folder(example);
  REQUIRE(shell(folder, "$RUN output.grib.path=file.grib").code == 0);
  const std::string name = "/dev/shm/" + folder.path.filename().string() + ".grib";
  write_text(name, std::string(1 << 20, 'x'));  // longer than the new one
  const Result result = shell(folder, "$RUN output.grib.path=" + name, 2);
  CAPTURE(result.error);
  CHECK(result.code == 0);
  CHECK(text_of(name) == text_of(folder.path / "file.grib"));
  CHECK_FALSE(fs::exists(name + ".partial"));
  fs::remove(name);
}

TEST_CASE("what a command prints is part of its result") {
  const Folder folder(example);
  REQUIRE(shell(folder, "$RUN output.grib.path=file.grib").code == 0);
  const std::vector<std::string> commands = {"inspect inference-last.ckpt",
                                             "inspect --json inference-last.ckpt",
                                             "compare file.grib file.grib",
                                             "compare file.grib file.grib --json",
                                             "cluster",
                                             "cluster --json",
                                             "status d",
                                             "status d --json",
                                             "drill",
                                             "--help",
                                             "--version",
                                             "run --help"};
  for (const std::string& command : commands) {
    CAPTURE(command);
    CHECK(shell(folder, "$T " + command + " >/dev/null").code == 0);
    for (const std::string where : {"/dev/full", "&-"}) {
      CAPTURE(where);
      const Result result = shell(folder, "$T " + command + " >" + where);
      CAPTURE(result.error);
      CHECK(result.code == 1);
      const std::string cause = where == "&-" ? "Bad file descriptor" : "No space left on device";
      CHECK(result.error.find("error: cannot write to standard output: " + cause) != std::string::npos);
    }
  }
  for (const std::string command : {"--help", "inspect inference-last.ckpt"}) {
    const Result left = shell(folder, "{ sleep 0.3; $T " + command + "; } | true; exit ${PIPESTATUS[0]}");
    CHECK(left.code == 128 + 13);
    CHECK(left.error.empty());
  }
}
