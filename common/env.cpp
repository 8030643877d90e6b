#include "common/env.h"

#include <string_view>

namespace tradewind {

Environment Environment::from_process(char** environ_list) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ_list; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return Environment(std::move(variables));
}

std::optional<std::string> Environment::get(const std::string& name) const {
  const auto found = variables_.find(name);
  if (found == variables_.end()) return std::nullopt;
  return found->second;
}

std::string Environment::get_or(const std::string& name, const std::string& fallback) const {
  const auto found = variables_.find(name);
  return found == variables_.end() || found->second.empty() ? fallback : found->second;
}

}  // namespace tradewind
