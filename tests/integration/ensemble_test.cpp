// Members of an ensemble: each seed is one, always the same.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/program.h"

using namespace tradewind::test;

namespace {

// The whole output of two steps with that seed; the variable, not the key, gives it when `by_variable`.
std::string member(const std::string& seed, int ranks, bool by_variable = false) {
  const Folder folder(TRADEWIND_GOLDEN_DIR "/legacy/0.9.3-ens");
  Program program;
  program.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "--run-dir", "d", "lead_time=12h"};
  program.command.push_back(by_variable ? "seed=null" : std::string("seed=").append(seed));
  if (ranks > 1) {
    program.command.insert(program.command.end(),
                           {"runner=parallel", std::string("world_size=").append(std::to_string(ranks))});
  }
  program.folder = folder.path;
  program.environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE}, {"TRADEWIND_TEST_MARK", folder.path}};
  if (by_variable) program.environment["ANEMOI_BASE_SEED"] = seed;
  const Result result = run(program);
  CAPTURE(result.error);
  CHECK(result.code == 0);
  return text_of(folder.path / "output.grib");
}

}  // namespace

TEST_CASE("ten seeds are ten members") {
  std::set<std::string> members;
  for (int seed = 1; seed <= 10; ++seed) members.insert(member(std::to_string(seed), 1));
  CHECK(members.size() == 10);
}

TEST_CASE("the same seed is the same member, however it is given") {
  const std::string once = member("7", 2);
  CHECK(once.size() > 10000);
  CHECK((member("7", 2) == once));
  CHECK((member("7", 2, true) == once));
  CHECK((member("8", 2, true) != once));
}
