// report.json: how a run ended, for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/errors.h"
#include "launcher/supervisor/outcome.h"

namespace tradewind::launcher {

using Json = nlohmann::ordered_json;

// {"status","exit_code","world_size","steps","seconds":{"load","input","first_step","step_median","output","total"},
// "ranks":[{"rank","host","pid","device","peak_rss_bytes","peak_device_bytes"}]}, in each rank of a run that is done
// also the figures of its `finished` message (proto/PROTOCOL.md), and, unless the status is `done`,
// "error":{"what","where","remedy","rank","phase","last_lines"}. When other ranks
// failed in consequence, "knock_on": a list of {"rank","what","where","phase"}. Seconds are rank 0's, `total` is the
// launcher's own.
Json report_of(const Outcome& outcome, double total_seconds);
// Of a run that never started.
Json report_of(const Error& error, int world_size, double total_seconds);
// What an error says, for programs: all that it carries, each with its place taken apart.
Json errors_of(const Error& error);

// Whole or not at all. In a run folder: only if that is this user's alone. EnvironmentFault naming the path.
void write_report(const Json& report, const std::string& path, bool in_run_folder = false);
// Where a report may be put without knowing more: nothing is there, or an older report.
bool may_hold_report(const std::string& path);
// Whether it could be written, before there is one. UserError naming the path.
void try_report(const std::string& path);

}  // namespace tradewind::launcher
