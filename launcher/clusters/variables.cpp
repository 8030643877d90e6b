#include "launcher/clusters/variables.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "common/errors.h"

namespace tradewind::launcher {

std::optional<std::string> Variables::text(const std::string& name) {
  auto value = environment_.get(name);
  if (!value || value->empty()) return std::nullopt;
  const Evidence seen{name, *value};
  if (std::find(read_.begin(), read_.end(), seen) == read_.end()) read_.push_back(seen);
  return value;
}

std::optional<int> Variables::integer(const std::string& name, int least) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc{} || end != value->data() + value->size() || number < least)
    throw UserError("`" + *value + "` is no integer of at least " + std::to_string(least), "variable " + name,
                    "correct or unset it");
  return number;
}

int Variables::needed(const std::string& name, const std::string& who, int least) {
  if (const auto value = integer(name, least)) return *value;
  throw UserError("the variable is not set, though others of " + who + " are", "variable " + name,
                  "start tradewind by " + who + ", or set all of its variables");
}

std::vector<Evidence> Variables::evidence() { return std::exchange(read_, {}); }

void check_rank(int rank, int world_size, const std::string& rank_name) {
  if (rank >= 0 && rank < world_size) return;
  throw UserError("rank " + std::to_string(rank) + " is not one of " + std::to_string(world_size) + " ranks",
                  "variable " + rank_name, "ranks count from 0: correct the variable, or the number of ranks");
}

std::string file_name_of(const std::string& text) {
  std::string name = text;
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '_' && c != '-'; }, '-');
  return name;
}

}  // namespace tradewind::launcher
