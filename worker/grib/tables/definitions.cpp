#include "worker/grib/tables/definitions.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace tradewind::grib {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// What is left of a text, piece by piece.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  bool at_end() {
    skip();
    return left_.empty();
  }
  bool take(char c) {
    skip();
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  // Quoted or not; empty when there is none.
  std::string_view name() {
    skip();
    const char quote = left_.empty() ? ' ' : left_.front();
    if (quote != '\'' && quote != '"') return until(std::find_if_not(left_.begin(), left_.end(), is_word));
    left_.remove_prefix(1);
    const std::string_view text = until(std::find(left_.begin(), left_.end(), quote));
    return take(quote) ? text : std::string_view();
  }
  // Up to the semicolon, without spaces around it.
  std::string_view value() {
    skip();
    std::string_view text = until(std::find(left_.begin(), left_.end(), ';'));
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  void skip() {
    while (!left_.empty() && (is_space(left_.front()) || left_.front() == '#')) {
      if (left_.front() == '#')
        until(std::find(left_.begin(), left_.end(), '\n'));
      else
        left_.remove_prefix(1);
    }
  }
  std::string_view until(std::string_view::iterator end) {
    const auto count = static_cast<std::size_t>(end - left_.begin());
    const std::string_view text = left_.substr(0, count);
    left_.remove_prefix(count);
    return text;
  }

  std::string_view left_;
};

}  // namespace

std::optional<Definitions> Definitions::parse(std::string_view text) {
  Definitions result;
  std::map<std::string, std::uint16_t, std::less<>> numbers;
  Reader reader(text);
  while (!reader.at_end()) {
    const std::string_view name = reader.name();
    if (name.empty() || !reader.take('=') || !reader.take('{')) return std::nullopt;
    result.names_.push_back(static_cast<std::uint32_t>(result.texts_.size()));
    result.begins_.push_back(static_cast<std::uint32_t>(result.conditions_.size()));
    result.texts_.append(name).push_back('\0');
    while (!reader.take('}')) {
      const std::string_view key = reader.name();
      if (key.empty() || !reader.take('=')) return std::nullopt;
      const auto [number, fresh] = numbers.try_emplace(std::string(key), static_cast<std::uint16_t>(numbers.size()));
      if (fresh) result.keys_.emplace_back(key);
      const std::string_view value = reader.value();
      if (!reader.take(';') || numbers.size() >= unknown_value) return std::nullopt;
      Condition condition{.key = number->second};
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), condition.value);
      if (value == "missing()")
        condition.value = missing;
      else if (error != std::errc() || end != value.data() + value.size())
        condition.key |= unknown_value;
      result.conditions_.push_back(condition);
    }
  }
  for (auto* list : {&result.names_, &result.begins_}) list->shrink_to_fit();
  result.conditions_.shrink_to_fit();
  result.texts_.shrink_to_fit();
  return result;
}

}  // namespace tradewind::grib
