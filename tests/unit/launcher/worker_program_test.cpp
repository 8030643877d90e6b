#include "launcher/launch/worker_program.h"

#include <doctest/doctest.h>

#include "common/errors.h"
#include "launcher/launch/plan.h"
#include "launcher/process/system_errors.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

std::string found(std::map<std::string, std::string> variables) {
  return worker_path(Environment(std::move(variables)), "tradewind-worker");
}

std::map<std::string, std::string> environment_of_rank(const char* command,
                                                       std::map<std::string, std::string> variables) {
  const Host host{.name = "h", .worker = "/opt/tradewind-worker", .cpus = {0}};
  return plan_ranks({.command = command}, host, Environment(std::move(variables)), seats_of_host(1))
      .front()
      .spawn.environment;
}

}  // namespace

TEST_CASE("a worker is beside the launcher, or where a package says") {
  CHECK(found({}) == (own_program().parent_path() / "tradewind-worker").string());
  CHECK(found({{"TRADEWIND_WORKER_FOLDER", "/opt/torch-2.15"}}) == "/opt/torch-2.15/tradewind-worker");
}

TEST_CASE("why a package has none is told") {
  CHECK_THROWS_WITH_AS(found({{"TRADEWIND_NO_WORKER", "torch 2.3 was found\npip install 'torch==2.15.*'"}}),
                       "tradewind-worker: there is no worker to start: torch 2.3 was found\n"
                       "  remedy: pip install 'torch==2.15.*'",
                       EnvironmentFault);
  CHECK_THROWS_AS(found({{"TRADEWIND_NO_WORKER", ""}}), EnvironmentFault);
}

TEST_CASE("a package's libraries come first for workers, and not at all for other programs") {
  const std::map<std::string, std::string> package = {{"TRADEWIND_LIBRARY_PATH", "/t/lib:/e/lib64"}};
  CHECK(environment_of_rank("run", package).at("LD_LIBRARY_PATH") == "/t/lib:/e/lib64");
  auto further = package;
  further["LD_LIBRARY_PATH"] = "/mine";
  CHECK(environment_of_rank("run", further).at("LD_LIBRARY_PATH") == "/t/lib:/e/lib64:/mine");
  CHECK(environment_of_rank(exec_command, further).at("LD_LIBRARY_PATH") == "/mine");
  CHECK_FALSE(environment_of_rank(exec_command, package).contains("LD_LIBRARY_PATH"));
}
