// A hang as it is told: report.json's `hang` object (proto/hang.schema.json), one screen of text, and a dump of each
// rank. Pure but for write_dumps().
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "launcher/watch/verdict.h"

namespace tradewind::launcher {

struct Hang {
  Verdict verdict;
  std::vector<proto::RankSample> samples;  // with evidence
  std::map<int, std::string> stacks;       // by rank, as the tool wrote them
  std::map<int, std::string> records;      // what c10d's flight recorder held
  std::map<int, std::string> frames;       // of its Python threads, as faulthandler wrote them
  std::map<int, std::string> ras;          // what NCCL said in the process of that rank
  double seconds_to_suspect = 0, seconds_to_verdict = 0;
  bool stopped = false;    // the run was stopped for it, else only watched
  bool withdrawn = false;  // the run moved again afterwards
  bool programs = false;   // the ranks are programs of others
  std::string dump_folder;
};

// What the user can do about it.
std::string advice_for(const Hang& hang);

// Lead time up to which every rank has written its output, in seconds; nothing when that is not known of every rank.
std::optional<std::int64_t> durable_step(const std::vector<proto::RankSample>& samples);

nlohmann::ordered_json to_json(const Hang& hang);
// A screen of 24 lines: what, who, where, why, who waits, what is safe, what to do next.
std::string to_text(const Hang& hang);
// What is known of one rank: telemetry, threads, stack.
std::string dump_text(const proto::RankSample& sample, const std::string& stack);
// One file a rank in the dump folder, which is made. What cannot be written is left out: there is worse to tell.
void write_dumps(const Hang& hang);

}  // namespace tradewind::launcher
