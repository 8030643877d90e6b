// How a run gets on, rank by rank: the table of `tradewind status` and of SIGUSR1, and the file it is passed on in
// (status.json of the run folder). Pure but for the file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

// {"schema","time","state","launcher":{"host","pid"},"ranks":[{"rank","host","pid","device","phase","step","steps",
// "place","collective","seconds_in_place","wait_share","compute_share","resident_bytes"}]}; shares are of the time
// since the run began, null before there is any. `state`: running, hangs, done, failed, stopped. `time` is in UTC.
nlohmann::ordered_json status_json(const std::vector<proto::RankSample>& samples, const std::string& state,
                                   double running_seconds);
// A row per rank, and above it what the whole is at.
std::string status_table(const nlohmann::ordered_json& status);

// Whole or not at all; false when it could not be written: a run does not end for that.
bool write_status(const nlohmann::ordered_json& status, const std::string& path);

}  // namespace tradewind::launcher
