#include "launcher/commands/run_paths.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <utility>

#include "common/config/load.h"
#include "common/errors.h"
#include "launcher/report/report.h"
#include "launcher/report/run_folder.h"

namespace tradewind::launcher {
namespace {

std::string run_folder_in(const std::string& parent, const RunCommand& command, const Placement& placement) {
  const bool member = placement.mode == PlacementMode::member && placement.world_size > 1;
  if (member && command.run_folder.empty()) return make_shared_run_folder(parent, name_of_run(placement));
  return make_run_folder(command.run_folder, parent,
                         std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()), placement.job);
}

}  // namespace

bool is_usual_report(const RunCommand& command) {
  const auto usual = (std::filesystem::path(command.run_folder) / "report.json").lexically_normal();
  return !command.run_folder.empty() && std::filesystem::path(command.report).lexically_normal() == usual;
}

PathClaims claims_of_command(const RunCommand& command) {
  PathClaims claims;
  if (!command.report.empty() && !is_usual_report(command))
    claims.push_back(
        {.use = PathClaim::Use::writes, .path = command.report, .role = "the report", .where = "--report"});
  if (!command.run_folder.empty()) add_run_folder(claims, command.run_folder, "--run-dir");
  if (!command.config.empty() && !config::is_override(command.config))
    claims.push_back({.path = command.config, .role = "the configuration", .where = "the command line"});
  for (const std::string& file : command.defaults)
    claims.push_back({.path = file, .role = "the defaults", .where = "--defaults"});
  return claims;
}

void keep_to_reports(const RunCommand& command, Supervision& supervision) {
  try {
    check_claims(claims_of_command(command));
  } catch (const Error&) {
    supervision.reports.clear();
  }
  std::erase_if(supervision.reports, [](const std::string& path) {
    const bool other = !may_hold_report(path);
    if (other) std::cerr << "warning: " << path << ": it holds something else than a report, and is left alone\n";
    return other;
  });
}

void check_paths(const PathClaims& claims, Supervision& supervision, const std::string& run_folder, bool first) {
  const std::vector<std::string> reports = std::exchange(supervision.reports, {});
  check_claims(claims);
  const auto folder = std::filesystem::path(run_folder).lexically_normal();
  for (const std::string& path : reports) {
    const bool in_run_folder =
        !run_folder.empty() && std::filesystem::path(path).lexically_normal().parent_path() == folder;
    if (first && !in_run_folder) try_report(path);  // the run folder is made later
  }
  supervision.reports = reports;
}

// The folder of temporary files is none where several launchers could meet.
RunFolder make_run_folder_for(const RunCommand& command, const Placement& placement, const Environment& environment) {
  if (!command.run_folder.empty()) return {.path = run_folder_in({}, command, placement)};
  const bool from_file = !config::is_override(command.config);
  const std::string beside = from_file ? std::filesystem::path(command.config).parent_path().string() : std::string();
  std::vector<std::string> parents = parents_of_run_folders(from_file ? command.config : std::string(), environment);
  if (placement.mode == PlacementMode::member && placement.world_size > 1) parents.pop_back();
  for (std::size_t i = 0;; ++i) {
    try {
      return {.path = run_folder_in(parents[i], command, placement), .usual = parents[i] == beside};
    } catch (const EnvironmentFault&) {
      if (i + 1 == parents.size()) throw;
    }
  }
}

void tell_run_folder(const RunFolder& folder, const Placement& placement, Verbosity verbosity) {
  const bool wanted = verbosity == Verbosity::verbose ||
                      (verbosity == Verbosity::normal && (!folder.usual || ::isatty(STDERR_FILENO) == 1));
  if (wanted && placement.rank == 0) std::cerr << "run folder: " << folder.path << std::endl;
}

LockFile lock_run(const std::string& run_folder) {
  LockFile lock =
      LockFile::take((std::filesystem::path(run_folder) / "run.lock").string(), "the run folder " + run_folder,
                     "wait until that run has ended, or give another --run-dir");
  if (!lock.kept())
    std::cerr << "warning: " << run_folder
              << ": this file system keeps no locks: let no other run use this folder or "
                 "the same output\n";
  return lock;
}

}  // namespace tradewind::launcher
