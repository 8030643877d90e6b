#include "launcher/launch/srun.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::launcher;
using Words = std::vector<std::string>;

namespace {

Words options_of(const Placement& placement, std::map<std::string, std::string> variables = {},
                 const Words& user = {}) {
  return srun_command(placement, Environment(std::move(variables)), "/work", user, {"tradewind", "agent"});
}

}  // namespace

TEST_CASE("the step that a launcher starts") {
  const Placement placement{.mode = PlacementMode::wrap, .world_size = 4, .hosts = {"a", "b"}};
  CHECK(options_of(placement) == Words{"srun", "--ntasks=4", "--nodes=2", "--input=none", "--export=ALL", "--mpi=none",
                                       "--kill-on-bad-exit=0", "--wait=0", "--chdir=/work", "tradewind", "agent"});
}

TEST_CASE("fewer ranks than hosts") {
  CHECK(options_of({.mode = PlacementMode::wrap, .world_size = 1, .hosts = {"a", "b"}})[2] == "--nodes=1");
}

TEST_CASE("CPUs of a task are said again, and the step takes no more") {
  const Words words = options_of({.world_size = 2}, {{"SLURM_CPUS_PER_TASK", "6"}});
  CHECK(words[2] == "--cpus-per-task=6");
  CHECK(words[3] == "--exact");
  const Words inside = options_of({.world_size = 2, .inside_step = true}, {{"SLURM_CPUS_PER_TASK", "6"}});
  CHECK(inside[3] == "--overlap");
}

TEST_CASE("the user's options come after ours") {
  const Words words = options_of({.world_size = 2}, {}, {"--mem=0", "-m", "cyclic"});
  CHECK(Words(words.end() - 5, words.end()) == Words{"--mem=0", "-m", "cyclic", "tradewind", "agent"});
}

TEST_CASE("options in one text") {
  CHECK(words_of("  --mem=0 -m  'a b' \"c\\\"d\" e\\ f ''", "--srun-args") ==
        Words{"--mem=0", "-m", "a b", "c\"d", "e f", ""});
  CHECK(words_of("", "--srun-args").empty());
  CHECK_THROWS_AS(words_of("'a", "--srun-args"), UserError);
  const Words odd = {"a b", "it's", "", "--x=1", "$HOME"};
  CHECK(shown(odd) == "'a b' 'it'\\''s' '' --x=1 '$HOME'");
  CHECK(words_of(shown(odd), "x") == odd);
}
