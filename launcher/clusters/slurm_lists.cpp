#include "launcher/clusters/slurm_lists.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/errors.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t most_names = 1'000'000;

[[noreturn]] void refuse(const std::string& list, const std::string& variable, const std::string& why) {
  throw UserError("`" + list.substr(0, 200) + "` is no list that Slurm makes: " + why, "variable " + variable,
                  "it is set by Slurm: leave it as it is, or unset all SLURM_* variables");
}

std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  return value;
}

std::string padded(std::uint64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

// Pieces between the commas that stand outside brackets.
std::vector<std::string_view> pieces_of(std::string_view list) {
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '[') ++depth;
    if (list[i] == ']') --depth;
    if (list[i] != ',' || depth > 0) continue;
    pieces.push_back(list.substr(begin, i - begin));
    begin = i + 1;
  }
  pieces.push_back(list.substr(begin));
  return pieces;
}

class Expansion {
 public:
  Expansion(const std::string& list, const std::string& variable) : list_(list), variable_(variable) {}

  std::vector<std::string> all() {
    for (const std::string_view piece : pieces_of(list_)) {
      if (piece.empty()) refuse(list_, variable_, "an empty name");
      expand({}, piece);
    }
    return std::move(names_);
  }

 private:
  void add(std::string name) {
    if (names_.size() == most_names) refuse(list_, variable_, "more than a million names");
    names_.push_back(std::move(name));
  }

  // The names that `rest` makes after `prefix`: its first bracket varies slowest.
  void expand(const std::string& prefix, std::string_view rest) {
    const auto open = rest.find('[');
    if (open == std::string_view::npos) {
      if (rest.find(']') != std::string_view::npos) refuse(list_, variable_, "a `]` too many");
      return add(prefix + std::string(rest));
    }
    const auto close = rest.find(']', open);
    if (close == std::string_view::npos) refuse(list_, variable_, "a `]` is missing");
    const std::string head = prefix + std::string(rest.substr(0, open));
    for (const std::string_view range : pieces_of(rest.substr(open + 1, close - open - 1))) {
      const auto dash = range.find('-');
      const std::string_view low = range.substr(0, dash);
      const auto from = number(low);
      const auto to = dash == std::string_view::npos ? from : number(range.substr(dash + 1));
      if (!from || !to || *to < *from) refuse(list_, variable_, "the range `" + std::string(range) + "`");
      if (*to - *from >= most_names) refuse(list_, variable_, "more than a million names");
      for (std::uint64_t value = *from; value <= *to; ++value)
        expand(head + padded(value, low.size()), rest.substr(close + 1));
    }
  }

  const std::string& list_;
  const std::string& variable_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<std::string> expand_hosts(const std::string& list, const std::string& variable) {
  return Expansion(list, variable).all();
}

std::vector<int> expand_counts(const std::string& list, const std::string& variable) {
  std::vector<int> counts;
  for (const std::string_view piece : pieces_of(list)) {
    const auto repeat = piece.find("(x");
    const auto count = number(piece.substr(0, repeat));
    std::optional<std::uint64_t> times = 1;
    if (repeat != std::string_view::npos)
      times = piece.ends_with(')') ? number(piece.substr(repeat + 2, piece.size() - repeat - 3)) : std::nullopt;
    if (!count || !times || *count > most_names || *times > most_names || counts.size() + *times > most_names)
      refuse(list, variable, "the entry `" + std::string(piece) + "`");
    counts.insert(counts.end(), *times, static_cast<int>(*count));
  }
  return counts;
}

}  // namespace tradewind::launcher
