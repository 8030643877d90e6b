#include "launcher/report/rank_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <vector>

namespace tradewind::launcher {
namespace {

using Json = proto::Json;
using Row = std::vector<std::string>;

// A number at a path of keys; the figures come from another process, so anything may be missing.
std::optional<double> number_at(const Json& object, const std::vector<std::string>& path) {
  const Json* value = &object;
  for (const std::string& key : path) {
    if (!value->is_object() || !value->contains(key)) return std::nullopt;
    value = &(*value)[key];
  }
  if (!value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::string text(const char* format, double value) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

std::string count(std::optional<double> value) { return value ? text("%.0f", *value) : "-"; }
std::string seconds(std::optional<double> value) { return value ? text("%.2f", *value) : "-"; }
std::string bytes(std::optional<double> value) {
  if (!value) return "-";
  if (*value < 1e4) return text("%.0f B", *value);
  if (*value < 1e7) return text("%.0f kB", *value / 1e3);
  if (*value < 1e11) return text("%.0f MB", *value / 1e6);
  return text("%.0f GB", *value / 1e9);
}

// The sum of `key` over the members of the object `of`.
std::optional<double> sum(const Json& figures, const char* of, const char* key) {
  if (!figures.is_object() || !figures.contains(of) || !figures[of].is_object()) return std::nullopt;
  double total = 0;
  for (const auto& [name, member] : figures[of].items()) total += number_at(member, {key}).value_or(0);
  return total;
}

std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string table;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      line += (i == 0 ? "" : "  ") + (i == 0 ? row[i] + blanks : blanks + row[i]);
    }
    table += line + "\n";
  }
  return table;
}

std::string of_ranks(const std::vector<RankResult>& ranks, std::size_t most) {
  std::vector<Row> rows = {{"rank", "rows", "halo rows", "sent", "received", "computing", "communicating", "waiting",
                            "writing, s", "own memory", "peak resident"}};
  const std::size_t shown = std::min(most, ranks.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const Json& figures = ranks[i].figures;
    rows.push_back(
        {std::to_string(i), count(number_at(figures, {"rows"})), count(sum(figures, "halo_rows", "halo")),
         bytes(sum(figures, "traffic", "bytes_sent")), bytes(sum(figures, "traffic", "bytes_received")),
         seconds(number_at(figures, {"seconds", "computing"})),
         seconds(number_at(figures, {"seconds", "communicating"})), seconds(number_at(figures, {"seconds", "waiting"})),
         seconds(number_at(figures, {"seconds", "writing"})), bytes(number_at(figures, {"memory", "own_peak_bytes"})),
         bytes(static_cast<double>(ranks[i].peak_rss_bytes))});
  }
  std::string table = aligned(rows);
  if (shown < ranks.size()) table += "and " + std::to_string(ranks.size() - shown) + " ranks more, in the report\n";
  return table;
}

std::string of_phases(const std::vector<RankResult>& ranks) {
  struct Total {
    double calls = 0, sent = 0, seconds = 0, waiting = 0;
  };
  std::map<std::string, Total> phases;
  for (const RankResult& rank : ranks) {
    if (!rank.figures.contains("traffic") || !rank.figures["traffic"].is_object()) continue;
    for (const auto& [phase, one] : rank.figures["traffic"].items()) {
      Total& total = phases[phase];
      total.calls = std::max(total.calls, number_at(one, {"calls"}).value_or(0));
      total.sent += number_at(one, {"bytes_sent"}).value_or(0);
      total.seconds += number_at(one, {"seconds"}).value_or(0);
      total.waiting += number_at(one, {"waiting"}).value_or(0);
    }
  }
  if (phases.empty()) return "";
  std::vector<Row> rows = {{"exchange", "calls", "sent by all ranks", "s per rank", "of which waiting"}};
  const auto number = static_cast<double>(ranks.size());
  for (const auto& [phase, total] : phases)
    rows.push_back({phase, count(total.calls), bytes(total.sent), seconds(total.seconds / number),
                    seconds(total.waiting / number)});
  return aligned(rows);
}

}  // namespace

std::string rank_table(const Outcome& outcome, std::size_t most_ranks) {
  const bool any = std::any_of(outcome.ranks.begin(), outcome.ranks.end(),
                               [](const RankResult& rank) { return rank.figures.contains("rows"); });
  if (!any) return "";
  return of_ranks(outcome.ranks, most_ranks) + of_phases(outcome.ranks);
}

}  // namespace tradewind::launcher
