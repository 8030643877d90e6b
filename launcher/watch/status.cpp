#include "launcher/watch/status.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "common/dates.h"
#include "common/errors.h"
#include "common/files/whole_file.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;

Json rank_json(const proto::RankSample& sample, double running_seconds) {
  const auto& t = sample.telemetry;
  const bool waits = t.in_collective();
  const double waited = t.waited_seconds + (waits ? t.call_seconds : 0);
  const bool told = running_seconds > 0 && !sample.program.known;  // programs do not tell when they wait
  const double share = running_seconds > 0 ? std::clamp(waited / running_seconds, 0.0, 1.0) : 0;
  return {{"rank", sample.rank},
          {"host", sample.host},
          {"pid", sample.pid},
          {"device", sample.device},
          {"phase", sample.exited ? "ended"
                    : sample.lost ? "lost"
                    : t.known     ? t.phase
                                  : "start"},
          {"step", t.step},
          {"steps", t.steps},
          {"place", waits ? t.call.operation + " '" + t.call.place + "'" : t.layer},
          {"collective", t.call.sequence},
          {"seconds_in_place", waits ? t.call_seconds : t.place_seconds},
          {"wait_share", told ? Json(share) : Json(nullptr)},
          {"compute_share", told ? Json(1 - share) : Json(nullptr)},
          {"resident_bytes", sample.process.resident_bytes}};
}

std::string percent(const Json& share) {
  if (!share.is_number()) return "-";
  return std::to_string(std::lround(100 * share.get<double>())) + " %";
}

std::string seconds(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 100 ? "%.1f s" : "%.0f s", value);
  return text.data();
}

using Cells = std::vector<std::string>;

// Each column as wide as its widest cell; numbers are never cut.
std::string table_of(std::vector<Cells> rows) {
  constexpr std::size_t most = 40;
  std::vector<std::size_t> widths(rows.front().size());
  for (Cells& cells : rows)
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) cells[i].push_back('-');
      if (cells[i].size() > most) {
        cells[i].resize(most - 2);
        cells[i] += "..";
      }
      widths[i] = std::max(widths[i], cells[i].size());
    }
  std::string text;
  for (Cells& cells : rows) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i].resize(widths[i], ' ');
      line += cells[i] + "  ";
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

Json status_json(const std::vector<proto::RankSample>& samples, const std::string& state, double running_seconds) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  Json ranks = Json::array();
  for (const auto& sample : samples) ranks.push_back(rank_json(sample, running_seconds));
  return {{"schema", 1},
          {"time", iso_date(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()))},
          {"state", state},
          {"launcher", {{"host", host.data()}, {"pid", ::getpid()}}},
          {"ranks", std::move(ranks)}};
}

std::string status_table(const Json& status) {
  std::vector<Cells> rows = {{"rank", "host", "device", "phase", "step", "at", "since", "waits", "memory"}};
  for (const Json& rank : status.value("ranks", Json::array())) {
    const int step = rank.value("step", 0), steps = rank.value("steps", 0);
    std::string progress = step > 0 ? std::to_string(step) : "-";
    if (steps > 0) progress.append("/").append(std::to_string(steps));
    rows.push_back({std::to_string(rank.value("rank", 0)), rank.value("host", ""), rank.value("device", ""),
                    rank.value("phase", ""), progress, rank.value("place", ""),
                    seconds(rank.value("seconds_in_place", 0.0)),
                    percent(rank.contains("wait_share") ? rank["wait_share"] : Json()),
                    std::to_string(rank.value("resident_bytes", std::int64_t{0}) >> 20) + " MiB"});
  }
  return status.value("time", "") + " UTC  " + status.value("state", "") + "\n" + table_of(std::move(rows));
}

bool write_status(const Json& status, const std::string& path) {
  try {
    write_whole(path, status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n",
                {.what = "the status", .mode = 0644, .own_folder = true});
    return true;
  } catch (const EnvironmentFault&) {
    return false;
  }
}

}  // namespace tradewind::launcher
