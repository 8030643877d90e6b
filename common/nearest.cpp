#include "common/nearest.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tradewind {
namespace {

constexpr std::size_t kLongest = 64;

std::string folded(std::string_view word) {
  std::string text(word);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  return text;
}

std::size_t edits(const std::string& a, const std::string& b) {
  std::array<std::array<std::size_t, kLongest + 1>, 3> rows{};  // the one before the last, the last, this one
  for (std::size_t j = 0; j <= b.size(); ++j) rows[2][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
    auto& [before, last, row] = rows;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return rows[2][b.size()];
}

// So many edits make another word of it.
std::size_t too_many(std::size_t length) { return length <= 3 ? 2 : std::max<std::size_t>(2, length / 3) + 1; }

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() >= kLongest) return std::nullopt;
  const std::string wanted = folded(word);
  std::optional<std::string> best;
  std::size_t fewest = too_many(wanted.size());
  for (const std::string& name : known) {
    if (name.size() >= kLongest) continue;
    const std::size_t least = std::max(name.size(), wanted.size()) - std::min(name.size(), wanted.size());
    if (least >= fewest) continue;
    const std::size_t count = edits(wanted, folded(name));
    if (count >= fewest) continue;
    fewest = count;
    best = name;
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto near = nearest(word, known);
  return near ? "did you mean '" + *near + "'? " : std::string();
}

}  // namespace tradewind
