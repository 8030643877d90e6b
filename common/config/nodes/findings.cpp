#include "common/config/nodes/findings.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <tuple>

namespace tradewind::config {
namespace {

constexpr std::size_t kMostRefusals = 100, kMostWarnings = 100;

// Takes ":NUMBER" off the end.
std::optional<int> number_off(std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return std::nullopt;
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [last, code] = std::from_chars(text.data() + colon + 1, end, number);
  if (code != std::errc() || last != end || number < 1) return std::nullopt;
  text.resize(colon);
  return number;
}

}  // namespace

Location location_of(const std::string& text) {
  Location location{text, 0, 0};
  std::string source = text;
  const auto column = number_off(source);
  if (!column) return location;
  const auto line = number_off(source);
  if (!line) return location;
  return {source, *line, *column};
}

void Findings::refuse(const UserError& error) {
  for (Refusal& one : refusals_of(error)) {
    if (std::find(refusals_.begin(), refusals_.end(), one) != refusals_.end()) continue;
    if (refusals_.size() == kMostRefusals)
      ++further_refusals_;
    else
      refusals_.push_back(std::move(one));
  }
}

void Findings::warn(const Location& where, const std::string& text) {
  std::string line = where.source.empty() ? text : where.text() + ": " + text;
  if (std::find(warnings_.begin(), warnings_.end(), line) != warnings_.end()) return;
  if (warnings_.size() == kMostWarnings)
    ++further_warnings_;
  else
    warnings_.push_back(std::move(line));
}

Refusals Findings::refusals() const {
  struct Ordered {
    std::tuple<std::size_t, int, int> position;
    const Refusal* refusal;
  };
  std::vector<Ordered> ordered;
  for (const Refusal& one : refusals_) {
    const Location at = location_of(one.where);
    const auto source = std::find(sources_.begin(), sources_.end(), at.source);
    const int line = at.line == 0 ? std::numeric_limits<int>::max() : at.line;
    ordered.push_back({{static_cast<std::size_t>(source - sources_.begin()), line, at.column}, &one});
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Ordered& a, const Ordered& b) { return a.position < b.position; });
  Refusals sorted;
  for (const Ordered& one : ordered) sorted.push_back(*one.refusal);
  if (further_refusals_ > 0)
    sorted.push_back({"there are " + std::to_string(further_refusals_) + " more mistakes",
                      sources_.empty() ? std::string() : sources_.front(), "mend these first"});
  return sorted;
}

std::vector<std::string> Findings::warnings() const {
  std::vector<std::string> lines = warnings_;
  if (further_warnings_ > 0) lines.push_back("there are " + std::to_string(further_warnings_) + " more warnings");
  return lines;
}

void Findings::throw_refusals() const { refuse_all(refusals()); }

}  // namespace tradewind::config
